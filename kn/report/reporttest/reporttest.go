// Package reporttest checks that a written report says what its result files
// say.
package reporttest

import (
	"encoding/json"
	"html"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

var (
	traced = regexp.MustCompile(`<span[^>]* data-source="([^"]*)" data-scale="([^"]*)"[^>]*>([^<]*)</span>`)
	right  = regexp.MustCompile(`<td class="right">(.*?)</td>`)
	tag    = regexp.MustCompile(`<[^>]*>`)
	digit  = regexp.MustCompile(`[0-9]`)
)

// Traced checks each number on the page of the report in dir: it is the
// number of the result file that the page names, rounded to what is printed, or
// the number of entries of a list there;
// a number in a column of numbers that names no source is an error.
// It returns how
// many numbers there were.
func Traced(t testing.TB, dir string) int {
	t.Helper()
	page := read(t, filepath.Join(dir, "report.html"))
	files := map[string]any{}
	all := traced.FindAllStringSubmatch(page, -1)
	for _, match := range all {
		source, text := html.UnescapeString(match[1]), html.UnescapeString(match[3])
		scale, err := strconv.ParseFloat(match[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		name, pointer, _ := strings.Cut(source, "#")
		if _, known := files[name]; !known {
			var value any
			if err := json.Unmarshal([]byte(read(t, filepath.Join(dir, report.ResultsDir, name))), &value); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			files[name] = value
		}
		var want float64
		switch v := at(files[name], pointer).(type) {
		case float64:
			want = v
		case []any: // its entries are counted
			want = float64(len(v))
		default:
			t.Errorf("%q is said to stand in %s, which has no number there", text, source)
			continue
		}
		if !rounded(text, scale*want) {
			t.Errorf("%q is not %v, which %s has", text, scale*want, source)
		}
	}
	for _, cell := range right.FindAllStringSubmatch(page, -1) {
		if rest := tag.ReplaceAllString(traced.ReplaceAllString(cell[1], ""), ""); digit.MatchString(rest) {
			t.Errorf("%q in a column of numbers names no result file", rest)
		}
	}
	return len(all)
}

// rounded says whether a text is a number rounded to the digits shown.
func rounded(text string, want float64) bool {
	text = strings.NewReplacer("−", "-", ",", "", "+", "", " %", "", " points", "").Replace(text)
	got, err := strconv.ParseFloat(text, 64)
	_, decimals, _ := strings.Cut(text, ".")
	return err == nil && math.Abs(got-want) <= 0.5000001*math.Pow10(-len(decimals))
}

// at follows a JSON pointer; what is not there is nil.
func at(value any, pointer string) any {
	for _, token := range strings.Split(pointer, "/")[1:] {
		switch v := value.(type) {
		case map[string]any:
			value = v[strings.NewReplacer("~1", "/", "~0", "~").Replace(token)]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
