package finetune

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// tinyData has sentences and pairs in the words of the small golden model.
func tinyData() *Data {
	var train, dev []Example
	people, places := []string{"Mary", "John", "Anna", "Peter", "Lucy"}, []string{"Paris", "London", "Rome", "Berlin", "Oslo", "Cairo"}
	for i, person := range people {
		for j, place := range places {
			x := Example{Sentence1: person + " was born in " + place + " .", Label: j % 2}
			if i%2 == 1 {
				x.Sentence2 = place + " is the city of " + person
			}
			if i == 4 {
				dev = append(dev, x)
			} else {
				train = append(train, x)
			}
		}
	}
	return &Data{Name: "tiny", Labels: []string{"even", "odd"}, Parts: []Part{{"train", train}, {"dev", dev}}}
}

// tiny is a training of a second, dropout included.
func tiny(t testing.TB, out string) Config {
	return Config{
		Model: filepath.Join(sharedtest.Goldens(t)[0], "model"), Data: tinyData(), Out: out,
		Epochs: 5, Batch: 8, LearningRate: 0.003, EvaluateEvery: 4, Checkpoints: []int{0, 7},
	}
}

// files are the contents of a folder, but for the record, in which times stand.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == RecordFile {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameFiles fails unless two folders hold the same.
func sameFiles(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s differs", name)
		}
	}
}

// same leaves out of a record what differs from run to run.
func same(r *Record) Record {
	s := *r
	s.Seconds, s.Config.Data, s.Config.Out, s.Config.SaveEvery = 0, nil, "", 0
	return s
}

// TestInterruptedTrainingGoesOn cancels a training again and again, and ends
// it at last with the bytes of one that was never interrupted.
func TestInterruptedTrainingGoesOn(t *testing.T) {
	whole := tiny(t, t.TempDir())
	want, err := Run(t.Context(), whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := tiny(t, t.TempDir())
	for _, stopAt := range []int{1, 5, 6, 14} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Run(ctx, c, func(p Progress) {
			if p.Step == stopAt {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a cancelled training gives %v", err)
		}
	}
	got, err := Run(t.Context(), c, func(p Progress) {
		if !p.Resumed || p.Step <= 14 {
			t.Errorf("the training starts again: %+v", p)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files(t, c.Out), files(t, whole.Out))
	if !reflect.DeepEqual(same(got), same(want)) {
		t.Errorf("got the record %+v, want %+v", same(got), same(want))
	}
	read, err := ReadRecord(c.Out)
	if err != nil || !reflect.DeepEqual(same(read).History, got.History) || read.Evaluations["dev"].Examples != 6 {
		t.Errorf("the record that was written is %+v, %v", read, err)
	}
}

// childEnv names the folder in which this test program is to train and nothing else.
const childEnv = "KN_TEST_FINETUNE_OUT"

func TestMain(m *testing.M) {
	if out := os.Getenv(childEnv); out != "" {
		c := killed(&testing.T{}, out)
		if _, err := Run(context.Background(), c, nil); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killed is a training long enough to be killed in, that saves at every step.
func killed(t testing.TB, out string) Config {
	c := tiny(t, out)
	c.Epochs, c.SaveEvery = 30, time.Nanosecond
	return c
}

// TestKilledTrainingGoesOn kills a process in the midst of its training.
func TestKilledTrainingGoesOn(t *testing.T) {
	whole := killed(t, t.TempDir())
	if _, err := Run(t.Context(), whole, nil); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+out)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		if _, err := os.Stat(filepath.Join(out, StateFile)); err == nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the training ended before it was killed")
	}
	c, resumed := killed(t, out), false
	if _, err := Run(t.Context(), c, func(p Progress) { resumed = p.Resumed }); err != nil {
		t.Fatal(err)
	}
	if !resumed {
		t.Error("the training did not go on from its saved state")
	}
	got := files(t, out)
	for name := range got { // what the killed process was writing
		if strings.HasPrefix(filepath.Base(name), ".") {
			delete(got, name)
		}
	}
	sameFiles(t, got, files(t, whole.Out))
}

// TestSeeds trains twice with one seed and once with another.
func TestSeeds(t *testing.T) {
	var weights [3][]byte
	for i, seed := range []uint64{1, 1, 2} {
		c := tiny(t, t.TempDir())
		c.Seed, c.Checkpoints = seed, nil
		if _, err := Run(t.Context(), c, nil); err != nil {
			t.Fatal(err)
		}
		weights[i] = files(t, c.Out)["model.safetensors"]
	}
	if !bytes.Equal(weights[0], weights[1]) {
		t.Error("one seed gives two classifiers")
	}
	if bytes.Equal(weights[0], weights[2]) {
		t.Error("two seeds give one classifier")
	}
}

// TestFinishedTrainingIsFound: it is not trained again, unless something is
// another or missing.
func TestFinishedTrainingIsFound(t *testing.T) {
	c := tiny(t, t.TempDir())
	first, err := Run(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	before := files(t, c.Out)
	again := func(c Config) (steps int, last Progress) {
		t.Helper()
		r, err := Run(t.Context(), c, func(p Progress) { steps, last = steps+1, p })
		if err != nil {
			t.Fatal(err)
		}
		if r.Steps != first.Steps || !reflect.DeepEqual(r.History, first.History) && c.Seed == first.Config.Seed {
			t.Errorf("it took %d steps, and its course differs", r.Steps)
		}
		return steps, last
	}
	if steps, last := again(c); steps != 1 || last.Step != first.Steps || last.Steps != first.Steps || !last.Resumed {
		t.Errorf("%d steps were told, the last as %+v", steps, last)
	}
	if !reflect.DeepEqual(files(t, c.Out), before) {
		t.Error("the folder was changed")
	}
	if err := os.Remove(filepath.Join(c.Out, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	if steps, _ := again(c); steps != first.Steps {
		t.Errorf("without its weights %d steps were told", steps)
	}
	c.Seed = 7
	if steps, _ := again(c); steps != first.Steps {
		t.Errorf("with another seed %d steps were told", steps)
	}
}

// TestCheckpoints: the one of step 0 is the start, what is frozen stays as it
// was, and the one of the last step is the result.
func TestCheckpoints(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.Freeze, c.Checkpoints = []string{"bert.embeddings", "bert.encoder.layer.1"}, []int{15, 0}
	if _, err := Run(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	load := func(dir string) *checkpoint.Checkpoint {
		t.Helper()
		f, err := checkpoint.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		return f.MustLoad(t.Context(), nil)
	}
	start, end, out, before := load(CheckpointDir(c.Out, 0)), load(CheckpointDir(c.Out, 15)), load(c.Out), load(c.Model)
	if !reflect.DeepEqual(end.Tensors, out.Tensors) {
		t.Error("the last checkpoint is not the result")
	}
	for name, x := range out.Tensors {
		if was, ok := before.Tensors[name]; ok && !slices.Equal(was.Data, start.Tensors[name].Data) {
			t.Errorf("%s is not that of the model in the checkpoint of step 0", name)
		}
		if changed := !slices.Equal(x.Data, start.Tensors[name].Data); changed == frozen(c.Freeze, name) && !strings.HasSuffix(name, "key.bias") {
			t.Errorf("%s: changed is %v", name, changed)
		}
	}
}

// TestFromScratch keeps nothing of the model but its configuration.
func TestFromScratch(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.FromScratch, c.Steps, c.Checkpoints = true, 1, []int{0}
	if _, err := Run(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	load := func(dir string) map[string]checkpoint.Tensor {
		t.Helper()
		f, err := checkpoint.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		return f.MustLoad(t.Context(), nil).Tensors
	}
	before := load(c.Model)
	for name, x := range load(CheckpointDir(c.Out, 0)) {
		if was, ok := before[name]; ok && len(x.Shape) > 1 && slices.Equal(was.Data, x.Data) {
			t.Errorf("%s is the model's", name)
		}
	}
}

// TestDiverged: a training whose loss is no number ends with an error that
// names the last sound classifier, which can be opened.
func TestDiverged(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.LearningRate, c.WarmUp, c.Checkpoints = 1e30, -1, nil
	_, err := Run(t.Context(), c, nil)
	var diverged *DivergedError
	if !errors.As(err, &diverged) || diverged.Good != "" || !strings.Contains(err.Error(), "lower the learning rate, which is 1e+30") {
		t.Fatalf("got %v", err)
	}
	c.SaveEvery = time.Nanosecond
	_, err = Run(t.Context(), c, nil)
	if !errors.As(err, &diverged) || diverged.Good == "" || diverged.GoodStep < 1 || !strings.Contains(err.Error(), diverged.Good) {
		t.Fatalf("got %v", err)
	}
	if _, err := Open(t.Context(), diverged.Good); err != nil {
		t.Errorf("the last good classifier: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.Out, "model.safetensors")); err == nil {
		t.Error("a classifier was written as if nothing had happened")
	}
}

// TestForeignStateIsRefused: another configuration must not go on from a state.
func TestForeignStateIsRefused(t *testing.T) {
	c := tiny(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Run(ctx, c, func(Progress) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	other := c
	other.LearningRate = 0.001
	if _, err := Run(t.Context(), other, nil); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("got %v", err)
	}
}

// TestBadConfig checks that each mistake is named.
func TestBadConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no model":                  func(c *Config) { c.Model = "" },
		"no folder to write":        func(c *Config) { c.Out = "" },
		"no data":                   func(c *Config) { c.Data = nil },
		"must be positive, not -1":  func(c *Config) { c.Batch = -1 },
		"hold no example":           func(c *Config) { c.MaxLength = 4 },
		"learning rate, clip":       func(c *Config) { c.LearningRate = -1 },
		"beta1 and beta2":           func(c *Config) { c.Beta2 = 1 },
		"are shares":                func(c *Config) { c.HiddenDropout = 1 },
		"after step 16 is asked":    func(c *Config) { c.Checkpoints = []int{16} },
		`no part "train"`:           func(c *Config) { c.Data.Parts = c.Data.Parts[1:] },
		`no part "exam"`:            func(c *Config) { c.Evaluate = []string{"exam"} },
		`example 2 of part "train"`: func(c *Config) { c.Data.Parts[0].Examples[2].Label = 2 },
		"nothing can be frozen":     func(c *Config) { c.Freeze = []string{"bert.encoder.layer.7"} },
		"everything is frozen":      func(c *Config) { c.Freeze = []string{"bert", "classifier"} },
	} {
		c := tiny(t, t.TempDir())
		c.Checkpoints = nil
		change(&c)
		if _, err := Run(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
