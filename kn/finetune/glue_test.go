package finetune

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// write puts files into a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	mnliTrain = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label\n"
	mnliDev   = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n"
)

// TestReadGLUE reads files with the columns of those published.
func TestReadGLUE(t *testing.T) {
	dir := write(t, map[string]string{
		"MNLI/train.tsv":          mnliTrain + "0\t1\t1n\tgov\t( a )\t( b )\t(A)\t(B)\tIt \"rains.\tIt is dry.\tneutral\tcontradiction\n",
		"MNLI/dev_matched.tsv":    mnliDev + "0\t1\t1e\tgov\t( a )\t( b )\t(A)\t(B)\tx\ty\te\te\tn\tn\te\tentailment\n1\t2\t2e\tgov\ta\tb\tA\tB\tx\ty\te\te\tn\tn\tc\t-\n",
		"MNLI/dev_mismatched.tsv": mnliDev + "0\t1\t1e\tletters\t( a )\t( b )\t(A)\t(B)\tp\tq\te\te\tn\tn\te\tneutral\n",
		"RTE/train.tsv":           "index\tsentence1\tsentence2\tlabel\n0\ta b\tc d\tnot_entailment\n",
		"RTE/dev.tsv":             "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n",
		"SST-2/train.tsv":         "sentence\tlabel\nhide new secretions \t0\n",
		"SST-2/dev.tsv":           "sentence\tlabel\nit 's charming .\t1\n",
		"MRPC/train.tsv":          "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n1\t702876\t702977\tHe said \"no.\tHe \"\"refused\"\".\r\n",
		"QNLI/train.tsv":          "index\tquestion\tsentence\tlabel\n0\tWho?\tHe.\tentailment\n",
		"QNLI/dev.tsv":            "index\tquestion\tsentence\tlabel\n0\tWhen?\tShe.\tnot_entailment\n",
		"WNLI/train.tsv":          "index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n",
		"WNLI/dev.tsv":            "index\tsentence1\tsentence2\tlabel\n0\tc\td\t0\n",
		"CoLA/train.tsv":          "gj04\t1\t\tIt fits.\ngj04\t0\t*\tIt fit.\n",
		"CoLA/dev.tsv":            "gj04\t1\t\tYes.\n",
		"QQP/train.tsv":           "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\ta?\tb?\t1\n4\t5\t6\ttorn\n",
		"QQP/dev.tsv":             "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tc?\td?\t0\n",
		"MRPC/dev.tsv":            "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\tx\ty\n",
	})
	for task, want := range map[string][]Part{
		"mnli":  {{"train", []Example{{`It "rains.`, "It is dry.", 2}}}, {"dev_matched", []Example{{"x", "y", 0}}}, {"dev_mismatched", []Example{{"p", "q", 1}}}},
		"rte":   {{"train", []Example{{"a b", "c d", 1}}}, {"dev", []Example{{"a", "b", 0}}}},
		"SST-2": {{"train", []Example{{"hide new secretions", "", 0}}}, {"dev", []Example{{"it 's charming .", "", 1}}}},
		"qnli":  {{"train", []Example{{"Who?", "He.", 0}}}, {"dev", []Example{{"When?", "She.", 1}}}},
		"wnli":  {{"train", []Example{{"a", "b", 1}}}, {"dev", []Example{{"c", "d", 0}}}},
		"cola":  {{"train", []Example{{"It fits.", "", 1}, {"It fit.", "", 0}}}, {"dev", []Example{{"Yes.", "", 1}}}},
		"qqp":   {{"train", []Example{{"a?", "b?", 1}}}, {"dev", []Example{{"c?", "d?", 0}}}},
		"mrpc":  {{"train", []Example{{`He said "no.`, `He ""refused"".`, 1}}}, {"dev", []Example{{"x", "y", 0}}}},
	} {
		got, err := ReadGLUE(task, dir)
		if err != nil {
			t.Errorf("%s: %v", task, err)
		} else if !reflect.DeepEqual(got.Parts, want) {
			t.Errorf("%s: got %v, want %v", task, got.Parts, want)
		}
	}
	if got := MustReadGLUE("qqp", dir); !reflect.DeepEqual(got.Unread, []string{"train: 1 lines that lack columns"}) {
		t.Errorf("what was left out of QQP: %q", got.Unread)
	}
	for _, task := range []string{"STS-B", "AX"} {
		other := filepath.Join(dir, task)
		if err := os.Mkdir(other, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenData(other, nil, Sizes{}); err == nil || !strings.Contains(err.Error(), "cannot be fine-tuned on") {
			t.Errorf("%s: %v", task, err)
		}
	}
	if got, err := ReadGLUE("rte", filepath.Join(dir, "RTE")); err != nil || len(got.Parts) != 2 {
		t.Errorf("the task's own folder: %v", err)
	}
	microsoft := write(t, map[string]string{
		"msr_paraphrase_train.txt": "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\ta\tb\n",
		"msr_paraphrase_test.txt":  "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t3\t4\tc\td\n",
	})
	if got, err := ReadGLUE("mrpc", microsoft); err != nil || !reflect.DeepEqual(got.Parts[1], Part{"dev", []Example{{"c", "d", 0}}}) {
		t.Errorf("Microsoft's files: %v, %v", got, err)
	}
}

// TestBadGLUE checks that faults are named.
func TestBadGLUE(t *testing.T) {
	if _, err := ReadGLUE("snli", t.TempDir()); err == nil || !strings.Contains(err.Error(), `"sst-2"`) {
		t.Errorf("an unknown task: %v", err)
	}
	if _, err := ReadGLUE("rte", t.TempDir()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "train.tsv") {
		t.Errorf("an empty folder: %v", err)
	}
	dir := write(t, map[string]string{"train.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\ta\tb\tneutral\n"})
	if _, err := ReadGLUE("rte", dir); err == nil || !strings.Contains(err.Error(), `train.tsv:3: label "neutral" is none of`) {
		t.Errorf("a label of another task: %v", err)
	}
}

// TestReadDir reads a task of one's own; dev must not have labels that train lacks.
func TestReadDir(t *testing.T) {
	files := map[string]string{"train.tsv": "label\tsentence\nb\tx\na\ty\n", "dev.tsv": "sentence\tlabel\nz\tb\n"}
	data, err := ReadDir(write(t, files))
	want := []Part{{"train", []Example{{"x", "", 1}, {"y", "", 0}}}, {"dev", []Example{{"z", "", 1}}}}
	if err != nil || !reflect.DeepEqual(data.Parts, want) {
		t.Errorf("got %v, %v", data, err)
	}
	files["test.tsv"] = "label\tsentence\nc\tx\n"
	if _, err := ReadDir(write(t, files)); err == nil || !strings.Contains(err.Error(), `test.tsv:2: label "c"`) {
		t.Errorf("got %v", err)
	}
}
