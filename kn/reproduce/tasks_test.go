package reproduce_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// rte is a folder with RTE of n examples to learn from and held out, in GLUE's
// format. Every tenth example has some forty words, the others three.
func rte(t *testing.T, n, held int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "RTE"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, rows := range map[string]int{"train.tsv": n, "dev.tsv": held} {
		text := "index\tsentence1\tsentence2\tlabel\n"
		for i := range rows {
			first := fmt.Sprintf("%s %d.", name[:3], i)
			if i%10 == 0 {
				first = strings.Repeat("Rome is old. ", 10) + first
			}
			text += fmt.Sprintf("%d\t%s\tParis.\t%s\n", i, first, []string{"entailment", "not_entailment"}[i%2])
		}
		if err := os.WriteFile(filepath.Join(dir, "RTE", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func part(t *testing.T, d *finetune.Data, name string) []string {
	t.Helper()
	examples, err := d.Part(name)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range examples {
		texts = append(texts, e.Sentence1)
	}
	return texts
}

// common counts what two lists share.
func common(a, b []string) int {
	n := 0
	for _, x := range a {
		if slices.Contains(b, x) {
			n++
		}
	}
	return n
}

func TestTasksOfOnesOwn(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	for _, c := range []struct{ have, learn, short, common int }{
		{100, 40, 90, 0},
		{100, 60, 90, 30}, // 90 are short enough: 60, and 30 others
	} {
		o := reproduce.TaskOptions{Names: []string{"rte"}, Folder: rte(t, c.have, 30), Train: c.learn, Dev: 10, Other: true, MaxLength: 24}
		tasks, err := reproduce.OpenTasks(m, nil, o)
		if err != nil {
			t.Fatal(err)
		}
		task := tasks[0]
		data := reproduce.DataOf(tasks)[0]
		want := reproduce.TaskData{Task: "RTE", Labels: 2, Train: c.learn, Dev: 10, Test: 27, TooLong: 10 + 3, Common: c.common}
		if task.BuiltIn || !reflect.DeepEqual(data, want) {
			t.Errorf("%+v, want %+v", data, want)
		}
		train, other := part(t, task.Data, "train"), part(t, task.Other, "train")
		if n := common(train, other); n != c.common || len(other) != c.learn || common(train, train) != len(train) {
			t.Errorf("%d and %d examples share %d, want %d", len(train), len(other), n, c.common)
		}
		if dev, test := part(t, task.Data, "dev"), part(t, task.Data, "test"); common(dev, test) != 10 || common(dev, train) != 0 {
			t.Errorf("dev %v, test %v", dev, test)
		}
		again, err := reproduce.OpenTasks(m, nil, o)
		if err != nil || !slices.Equal(part(t, again[0].Other, "train"), other) {
			t.Errorf("opened again: %v, %v", err, again)
		}
		// A task in a folder of one's own is the same task by another name.
		o.Names = []string{filepath.Join(o.Folder, "RTE")}
		if byPath, err := reproduce.OpenTasks(m, nil, o); err != nil || !slices.Equal(part(t, byPath[0].Data, "train"), train) || byPath[0].Name != "RTE" {
			t.Errorf("by its path: %v", err)
		}
	}
}

// taskTable is the table of tasks, of the setting in a folder.
func taskTable(t *testing.T, dir string, ofFacts, others bool) *report.Table {
	t.Helper()
	b := reproduce.OpenBook(dir, reproduce.Templates(fstest.MapFS{"only.tmpl": {Data: []byte(`{{template "tasks" .}}`)}}), "setting")
	s := b.Section("only", report.Content{Data: map[string]any{"made_of_facts": ofFacts, "others": others}})
	if err := b.Err(); err != nil {
		t.Fatal(err)
	}
	return s.Blocks[0].(*report.Table)
}

// TestTaskTable: what was left out of the tasks' files stands below the table, as
// the setting's file has it.
func TestTaskTable(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"train.tsv", "dev.tsv"} {
		text := "id\tlabel\tsentence\n1\ta\tRome.\n2\tb\tParis.\n3\ta\t" + strings.Repeat("Rome is old. ", 10) + "\n"
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, "mine"), 0o755), os.WriteFile(filepath.Join(dir, "mine", name), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	tasks, err := reproduce.OpenTasks(m, facts.Known(mini.MustFacts()), reproduce.TaskOptions{Names: []string{"true", "mine"}, Folder: dir, Train: 2, Dev: 2, Test: 2, MaxLength: 24})
	if err != nil {
		t.Fatal(err)
	}
	run, err := reproduce.Open(dir, 1, reproduce.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	for _, c := range []struct {
		tasks []*reproduce.Task
		want  []string
	}{
		{tasks, []string{"Left out for more than 24 tokens: true 0, mine 2.", "Not read of the files: mine train.tsv: id, dev.tsv: id."}},
		{tasks[:1], nil},
	} {
		if err := run.Keep("setting", map[string]any{"max_length": 24, "data": reproduce.DataOf(c.tasks)}); err != nil {
			t.Fatal(err)
		}
		table := taskTable(t, dir, reproduce.MadeOfFacts(c.tasks), true)
		note := table.Note.String()
		if len(table.Rows) != len(c.tasks) || len(table.Columns) != 6 || (note == "") != (c.want == nil) {
			t.Errorf("%d rows of %d columns, the note %q", len(table.Rows), len(table.Columns), note)
		}
		for _, want := range c.want {
			if !strings.Contains(note, want) {
				t.Errorf("the note %q lacks %q", note, want)
			}
		}
	}
	// What is printed is the file's.
	data := reproduce.DataOf(tasks)
	data[0].Unread, data[1].Unread = []string{"train.tsv: a column"}, []string{"train.tsv: another", "dev.tsv: one"}
	if err := run.Keep("setting", map[string]any{"max_length": 24, "data": data}); err != nil {
		t.Fatal(err)
	}
	table := taskTable(t, dir, false, false)
	if note, want := table.Note.String(), "Not read of the files: true train.tsv: a column; mine train.tsv: another, dev.tsv: one."; len(table.Columns) != 5 || !strings.HasSuffix(note, want) {
		t.Errorf("%d columns, the note %q lacks %q", len(table.Columns), note, want)
	}
}

func TestTasksMadeOfFacts(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	known := facts.Known(mini.MustFacts())
	tasks, err := reproduce.OpenTasks(m, known, reproduce.TaskOptions{Names: []string{"relation", "true"}, Train: 20, Dev: 8, Test: 8, Other: true})
	if err != nil || len(tasks) != 2 || !reproduce.MadeOfFacts(tasks) {
		t.Fatalf("%+v, %v", tasks, err)
	}
	if n := tasks[0].Size("none"); n != 0 {
		t.Errorf("a part that is not there has %d examples", n)
	}
	want := finetune.MustBuiltIn("true", known, finetune.Sizes{Train: 20, Dev: 8, Test: 8, Seed: 2})
	if got := part(t, tasks[1].Other, "train"); !slices.Equal(got, part(t, want, "train")) || common(got, part(t, tasks[1].Data, "train")) == len(got) {
		t.Errorf("other examples are %v", got)
	}
}

func TestBadTasks(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	dir := rte(t, 20, 10)
	alone := filepath.Join(t.TempDir(), "mine")
	if err := os.Mkdir(alone, 0o755); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]reproduce.TaskOptions{
		"say in which folder":     {Names: []string{"SST-2"}, Train: 5, Dev: 5},
		"give the folder of":      {Names: []string{"SST-2"}, Folder: dir, Train: 5, Dev: 5},
		"18 examples of at most":  {Names: []string{"RTE"}, Folder: dir, Train: 19, Dev: 5, MaxLength: 24},
		"no task that lies in it": {Names: []string{"true"}, Folder: dir, Train: 5, Dev: 5, Test: 5},
		"two tasks are called":    {Names: []string{"RTE", "rte"}, Folder: dir, Train: 5, Dev: 5},
		"none of the tasks":       {Names: []string{"no such task"}, Folder: dir, Train: 5, Dev: 5},
		"mine/train.tsv: no such": {Names: []string{"mine"}, Folder: filepath.Dir(alone), Train: 5, Dev: 5},
	} {
		if _, err := reproduce.OpenTasks(m, facts.Known(mini.MustFacts()), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}
