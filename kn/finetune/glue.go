package finetune

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// glueTask is a task of GLUE (Wang et al., ICLR 2019,
// https://arxiv.org/abs/1804.07461) as its files have it.
type glueTask struct {
	folder  string
	columns []string // label, sentence1 and perhaps sentence2
	labels  []string // the classes
	stored  []string // what the files call them
	parts   []gluePart
	// header names the columns of files that do not.
	header []string
	// torn is set where the published files have lines that lack columns,
	// which everybody leaves out.
	torn bool
}

// gluePart is a file with labels; the first that is there of several is read.
type gluePart struct {
	name  string
	files []string
}

// pairLabels are those of tasks about two sentences of which one follows or not.
var pairLabels = []string{"entailment", "not_entailment"}

var glueParts = []gluePart{{"train", []string{"train.tsv"}}, {"dev", []string{"dev.tsv"}}}

// glueTasks are GLUE's tasks of classification. GLUE's test parts have no
// labels; MRPC's does in Microsoft's own files.
var glueTasks = map[string]glueTask{
	"mnli": {
		folder:  "MNLI",
		columns: []string{"gold_label", "sentence1", "sentence2"},
		labels:  []string{"entailment", "neutral", "contradiction"},
		stored:  []string{"entailment", "neutral", "contradiction"},
		parts: []gluePart{
			{"train", []string{"train.tsv"}},
			{"dev_matched", []string{"dev_matched.tsv"}},
			{"dev_mismatched", []string{"dev_mismatched.tsv"}},
		},
	},
	"rte":   {folder: "RTE", columns: []string{"label", "sentence1", "sentence2"}, labels: pairLabels, stored: pairLabels, parts: glueParts},
	"qnli":  {folder: "QNLI", columns: []string{"label", "question", "sentence"}, labels: pairLabels, stored: pairLabels, parts: glueParts},
	"wnli":  {folder: "WNLI", columns: []string{"label", "sentence1", "sentence2"}, labels: []string{"not_entailment", "entailment"}, stored: []string{"0", "1"}, parts: glueParts},
	"sst-2": {folder: "SST-2", columns: []string{"label", "sentence"}, labels: []string{"negative", "positive"}, stored: []string{"0", "1"}, parts: glueParts},
	"cola": {
		folder: "CoLA", columns: []string{"label", "sentence"}, labels: []string{"unacceptable", "acceptable"}, stored: []string{"0", "1"}, parts: glueParts,
		header: []string{"source", "label", "original mark", "sentence"},
	},
	"qqp": {
		folder: "QQP", columns: []string{"is_duplicate", "question1", "question2"}, labels: []string{"not_duplicate", "duplicate"}, stored: []string{"0", "1"}, parts: glueParts,
		torn: true,
	},
	"mrpc": {
		folder:  "MRPC",
		columns: []string{"Quality", "#1 String", "#2 String"},
		labels:  []string{"not_equivalent", "equivalent"},
		stored:  []string{"0", "1"},
		parts: []gluePart{
			{"train", []string{"train.tsv", "msr_paraphrase_train.txt"}},
			{"dev", []string{"dev.tsv", "msr_paraphrase_test.txt"}},
		},
	},
}

// GLUETasks are the names that [ReadGLUE] knows.
var GLUETasks = []string{"mnli", "rte", "sst-2", "mrpc", "qnli", "qqp", "cola", "wnli"}

// GLUEName is a task's name as GLUE writes it: "SST-2"; "" if it is none of GLUE's.
func GLUEName(task string) string { return glueTasks[strings.ToLower(task)].folder }

// otherGLUE are GLUE's that no classifier can be trained on, and why.
var otherGLUE = map[string]string{
	"sts-b": "its labels are similarities from 0 to 5, not classes",
	"ax":    "it has no training part",
}

// ReadGLUE reads a task of GLUE from its TSV files as published. dir is the
// task's folder, or the one that holds MNLI, RTE, SST-2 and the others. MNLI's
// development parts are "dev_matched" and "dev_mismatched", the others' "dev";
// MRPC may also be Microsoft's msr_paraphrase_train.txt and
// msr_paraphrase_test.txt, of which the latter is then "dev". Quotation marks
// are characters like any other. MNLI's examples that its annotators did not
// agree on ("-") are left out, and so are lines of QQP that lack columns: see
// [Data.Unread].
func ReadGLUE(task, dir string) (*Data, error) {
	t, ok := glueTasks[strings.ToLower(task)]
	if why, other := otherGLUE[strings.ToLower(task)]; other {
		return nil, fmt.Errorf("finetune: %s cannot be fine-tuned on here: %s", task, why)
	}
	if !ok {
		return nil, fmt.Errorf("finetune: %q is none of the GLUE tasks %q", task, GLUETasks)
	}
	if inner := filepath.Join(dir, t.folder); isDir(inner) {
		dir = inner
	}
	data := &Data{Name: strings.ToLower(task), Labels: t.labels}
	for _, part := range t.parts {
		examples, torn, err := t.readPart(dir, part)
		if err != nil {
			return nil, err
		}
		if torn > 0 {
			data.Unread = append(data.Unread, fmt.Sprintf("%s: %d lines that lack columns", part.name, torn))
		}
		data.Parts = append(data.Parts, Part{part.name, examples})
	}
	return data, nil
}

// MustReadGLUE is [ReadGLUE] for notebook cells: it panics instead of returning an error.
func MustReadGLUE(task, dir string) *Data { return kn.Must(ReadGLUE(task, dir)) }

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (t glueTask) readPart(dir string, part gluePart) (examples []Example, torn int, err error) {
	for _, name := range part.files {
		file, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, 0, fmt.Errorf("finetune: %w", err)
		}
		defer file.Close()
		table := openTable(file, file.Name())
		table.header, table.skipTorn = t.header, t.torn
		if t.header == nil {
			if err := table.readHeader(); err != nil {
				return nil, 0, err
			}
		}
		rows, err := table.rows(t.columns)
		if err != nil {
			return nil, 0, err
		}
		rows = slices.DeleteFunc(rows, func(r row) bool { return t.folder == "MNLI" && r.cells[0] == "-" })
		examples, err := table.examples(rows, t.stored)
		return examples, table.torn, err
	}
	return nil, 0, fmt.Errorf("finetune: %s has no %s; give the folder of %s as GLUE publishes it: %w",
		dir, strings.Join(part.files, " or "), t.folder, fs.ErrNotExist)
}

// ReadDir reads a task of one's own: train.tsv, dev.tsv and, if there is one,
// test.tsv in dir, each as [ReadTSV] reads it. The labels are those of
// train.tsv in alphabetical order.
func ReadDir(dir string) (*Data, error) {
	data := &Data{Name: filepath.Base(dir)}
	for _, name := range []string{"train", "dev", "test"} {
		path := filepath.Join(dir, name+".tsv")
		part, err := ReadTSV(path, data.Labels)
		if name == "test" && errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		data.Labels, data.Unread = part.Labels, append(data.Unread, part.Unread...)
		data.Parts = append(data.Parts, Part{name, part.Parts[0].Examples})
	}
	return data, nil
}

// MustReadDir is [ReadDir] for notebook cells: it panics instead of returning an error.
func MustReadDir(dir string) *Data { return kn.Must(ReadDir(dir)) }
