package reproduce

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// TaskOptions say what a paper's classifiers are trained on.
type TaskOptions struct {
	// Names are built-in tasks, see [finetune.BuiltIn], tasks of GLUE such as
	// "RTE", or folders and files as [finetune.OpenData] takes them.
	Names []string
	// Folder holds the tasks that are not built in, each in a folder or a file
	// of its name.
	Folder string
	// Train is the number of examples to learn from. Dev and Test are those
	// of the held-out parts, which share none in a built-in task. Of others
	// "test" is all that is held out, and "dev" at most so many of it.
	Train, Dev, Test int
	// Other asks for [Task.Other].
	Other bool
	// MaxLength is the most tokens of an example; longer ones are left out.
	// 0: as many as the model has positions.
	MaxLength int
}

// Task is a task that classifiers are trained on. Its parts are "train", "dev"
// and "test", in random order.
type Task struct {
	Name    string // for reports: "RTE", "relation"
	Data    *finetune.Data
	BuiltIn bool // made of facts
	// Other is the same task, to be learned from other examples: of a built-in
	// task from other facts. Where a task has too few examples for that, the
	// number Common of them is Data's too.
	Other  *finetune.Data
	Common int
	// TooLong is how many examples were left out for their length.
	TooLong int
}

// Size is the number of examples in a part, 0 if there is none of that name.
func (t *Task) Size(part string) int {
	n := 0
	for _, p := range t.Data.Parts {
		if p.Name == part {
			n += len(p.Examples)
		}
	}
	return n
}

// OpenTasks opens tasks. Examples are drawn by fixed seeds.
func OpenTasks(m *kn.Model, known []facts.Fact, o TaskOptions) ([]*Task, error) {
	var tasks []*Task
	for _, name := range o.Names {
		t, err := openTask(m, name, known, o)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(tasks, func(u *Task) bool { return u.Name == t.Name }) {
			return nil, fmt.Errorf("reproduce: two tasks are called %s; name each once", t.Name)
		}
		tasks = append(tasks, t)
	}
	if o.Folder != "" && MadeOfFacts(tasks) {
		return nil, fmt.Errorf("reproduce: the folder %s is given, and no task that lies in it; name some, such as RTE", o.Folder)
	}
	return tasks, nil
}

func openTask(m *kn.Model, name string, known []facts.Fact, o TaskOptions) (*Task, error) {
	if slices.Contains(finetune.BuiltInTasks, name) {
		t := &Task{Name: name, BuiltIn: true}
		sizes := finetune.Sizes{Train: o.Train, Dev: o.Dev, Test: o.Test, Seed: 1}
		var err error
		if t.Data, err = finetune.BuiltIn(name, known, sizes); err == nil && o.Other {
			sizes.Seed = 2
			t.Other, err = finetune.BuiltIn(name, known, sizes)
		}
		return t, err
	}
	data, err := openData(name, o.Folder)
	if err != nil {
		return nil, err
	}
	t := &Task{Name: taskName(data, name)}
	train, err := data.Part("train")
	if err != nil {
		return nil, err
	}
	held := slices.IndexFunc(data.Parts, func(p finetune.Part) bool { return strings.HasPrefix(p.Name, "dev") })
	if held < 0 {
		return nil, fmt.Errorf("reproduce: %s has no part to measure on, only %s; add dev.tsv", t.Name, data.Parts[0].Name)
	}
	maxLength := min(cmp.Or(o.MaxLength, m.Config().MaxPositions), m.Config().MaxPositions)
	train, dev := t.short(m, train, maxLength), t.short(m, data.Parts[held].Examples, maxLength)
	if len(train) < o.Train || len(dev) == 0 {
		return nil, fmt.Errorf("reproduce: %s has %d examples of at most %d tokens to learn from and %d held out, and %d are to be learned from; ask for fewer or longer ones", t.Name, len(train), maxLength, len(dev), o.Train)
	}
	t.Data = t.draw(data, train, dev, o, 1)
	if o.Other {
		rest := train[o.Train:]
		t.Common = max(0, o.Train-len(rest))
		t.Other = t.draw(data, append(slices.Clone(rest), train[:t.Common]...), dev, o, 2)
	}
	return t, nil
}

// openData finds a task in the folder, or by its own path.
func openData(name, folder string) (*finetune.Data, error) {
	if slices.Contains(finetune.GLUETasks, strings.ToLower(name)) {
		if folder == "" {
			return nil, fmt.Errorf("reproduce: the task %s is GLUE's: say in which folder its data lies", name)
		}
		return finetune.ReadGLUE(name, folder)
	}
	if inside := filepath.Join(folder, name); folder != "" && !filepath.IsAbs(name) {
		if _, err := os.Stat(inside); err == nil {
			name = inside
		}
	}
	return finetune.OpenData(name, nil, finetune.Sizes{})
}

// taskName is what a task is called: GLUE's as GLUE writes it, another by its
// file or folder.
func taskName(data *finetune.Data, name string) string {
	if slices.Contains(finetune.GLUETasks, data.Name) {
		return finetune.GLUEName(data.Name)
	}
	return strings.TrimSuffix(filepath.Base(filepath.Clean(name)), ".tsv")
}

// short are the examples of at most so many tokens, in an order drawn at random.
func (t *Task) short(m *kn.Model, examples []finetune.Example, maxLength int) []finetune.Example {
	encoded, _ := finetune.Encode(m.Tokenizer(), examples, 0)
	var short []finetune.Example
	for i, e := range encoded {
		if len(e.IDs) <= maxLength {
			short = append(short, examples[i])
		}
	}
	t.TooLong += len(examples) - len(short)
	rng := rand.New(rand.NewPCG(1, 0x7a5c))
	rng.Shuffle(len(short), func(i, j int) { short[i], short[j] = short[j], short[i] })
	return short
}

// draw takes the first examples of both parts.
func (t *Task) draw(data *finetune.Data, train, dev []finetune.Example, o TaskOptions, seed uint64) *finetune.Data {
	train = slices.Clone(train[:o.Train])
	rng := rand.New(rand.NewPCG(seed, 0x7a5d))
	rng.Shuffle(len(train), func(i, j int) { train[i], train[j] = train[j], train[i] })
	return &finetune.Data{
		Name: t.Name, Labels: data.Labels, Unread: data.Unread,
		Parts: []finetune.Part{{Name: "train", Examples: train}, {Name: "dev", Examples: dev[:min(o.Dev, len(dev))]}, {Name: "test", Examples: dev}},
	}
}

// TaskNames are the tasks' names.
func TaskNames(tasks []*Task) []string {
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = t.Name
	}
	return names
}

// TaskData says what a task has, for a report's setting.
type TaskData struct {
	Task    string `json:"task"`
	Labels  int    `json:"labels"`
	Train   int    `json:"train"` // examples
	Dev     int    `json:"dev"`
	Test    int    `json:"test"`
	TooLong int    `json:"too_long"` // left out
	Common  int    `json:"common"`   // of the examples of [Task.Other], those that are Data's too
	// Unread is what of the task's files was not read, as [finetune.Data] says it.
	Unread []string `json:"unread,omitempty"`
}

// DataOf says what tasks have.
func DataOf(tasks []*Task) []TaskData {
	all := make([]TaskData, len(tasks))
	for i, t := range tasks {
		all[i] = TaskData{
			Task: t.Name, Labels: len(t.Data.Labels), Train: t.Size("train"), Dev: t.Size("dev"), Test: t.Size("test"),
			TooLong: t.TooLong, Common: t.Common, Unread: t.Data.Unread,
		}
	}
	return all
}

// NamesOfFacts says whether all names are of tasks made of facts.
func NamesOfFacts(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(finetune.BuiltInTasks, name) })
}

// MadeOfFacts says whether all of the tasks are.
func MadeOfFacts(tasks []*Task) bool {
	return !slices.ContainsFunc(tasks, func(t *Task) bool { return !t.BuiltIn })
}
