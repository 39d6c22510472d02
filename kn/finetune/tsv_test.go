package finetune

import (
	"reflect"
	"strings"
	"testing"
)

// TestReadTSV reads one sentence and two, in any order of columns.
func TestReadTSV(t *testing.T) {
	for _, c := range []struct {
		file   string
		labels []string
		want   []Example
	}{
		{"label\tsentence\nno\tIt is \"flat.\nyes\tIt is round.\r\n\n", nil, []Example{{"It is \"flat.", "", 0}, {"It is round.", "", 1}}},
		{"\ufeffsentence2\tid\tlabel\tsentence1\nb\t7\t1\ta\n", []string{"no", "yes"}, []Example{{"a", "b", 1}}},
		{"label\tsentence\n0\tx\n", []string{"1", "0"}, []Example{{"x", "", 1}}},
	} {
		data, err := readTSV(strings.NewReader(c.file), "file.tsv", c.labels)
		if err != nil {
			t.Fatalf("%q: %v", c.file, err)
		}
		if unread := strings.Join(data.Unread, " "); (unread == "file.tsv: id") != strings.Contains(c.file, "\tid\t") {
			t.Errorf("%q: not read are %q", c.file, unread)
		}
		if got := data.Parts[0].Examples; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: got %v, want %v", c.file, got, c.want)
		}
	}
}

// TestBadTSV checks that every fault is named with its line.
func TestBadTSV(t *testing.T) {
	labels := []string{"no", "yes"}
	for file, want := range map[string]string{
		"":                                       "file.tsv is empty",
		"label\tsentence\n":                      "file.tsv has a header but no example",
		"label,sentence\nyes,x\n":                `file.tsv:1: there is no column "label"`,
		"label\tsentence1\nyes\tx\n":             `file.tsv:1: there is no column "sentence2"`,
		"label\tsentence\nyes\tx\nno\n":          "file.tsv:3: the line has 1 columns, the header 2",
		"label\tsentence\nyes\tx\ty\n":           "file.tsv:2: the line has 3 columns",
		"label\tsentence\n\nyes\tx\nno\t \n":     `file.tsv:4: column "sentence" is empty`,
		"label\tsentence\nyes\tx\nmaybe\ty\n":    `file.tsv:3: label "maybe" is none of ["no" "yes"]`,
		"label\tsentence\n2\tx\n":                `file.tsv:2: label "2" is none of`,
		"label\tsentence\nno\tx\nyes\tcaf\xe9\n": "finetune: file.tsv:3: not UTF-8 text (byte 0xe9); save the file as UTF-8",
		"\xff\xfel\x00a\x00":                     "file.tsv:1: UTF-16 text",
		"label\tsentence\nyes\t" + strings.Repeat("x", longestLine+1): "file.tsv:2: bufio.Scanner: token too long",
	} {
		if _, err := readTSV(strings.NewReader(file), "file.tsv", labels); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", file, err, want)
		}
	}
	// Where labels are numbers, another number is no place among them.
	for _, label := range []string{"0", "2.0", "3"} {
		if _, err := readTSV(strings.NewReader("label\tsentence\n"+label+"\tx\n"), "file.tsv", []string{"1", "2"}); err == nil || !strings.Contains(err.Error(), "file.tsv:2: label \""+label+"\"") {
			t.Errorf("label %s of 1 and 2: %v", label, err)
		}
	}
	if _, err := ReadTSV("testdata/none.tsv", nil); err == nil {
		t.Error("a missing file was read")
	}
}
