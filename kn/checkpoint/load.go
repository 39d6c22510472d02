package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Checkpoint is a model in memory.
type Checkpoint struct {
	Config    Config
	Tensors   map[string]Tensor // by canonical name, exactly those of Config.Expected
	Tokenizer *tokenizer.Tokenizer
	Digest    string // SHA-256 over configuration, tokenizer and weights, as [Folder.Digest] gives it
	Source    string // the folder or repository as the caller named it
}

// Load reads the weights. Each is held once; F16, BF16 and F64 become float32.
// A tensor that is missing, left over or misshapen is a [*WeightsError].
// progress may be nil.
func (f *Folder) Load(ctx context.Context, progress Progress) (*Checkpoint, error) {
	return f.LoadInto(ctx, nil, progress)
}

// Place returns where a tensor's numbers are to be put, with as many entries
// as the shape asks for. It is called once for each tensor, from one goroutine.
type Place func(name string, shape []int) ([]float32, error)

// LoadInto is [Folder.Load] with the numbers read straight to where place
// wants them, a backend's own memory say, so that they are not held twice.
func (f *Folder) LoadInto(ctx context.Context, place Place, progress Progress) (*Checkpoint, error) {
	tensors, closeAll, err := f.openWeights()
	defer closeAll()
	if err != nil {
		return nil, err
	}
	a, err := account(f.config, tensors)
	if err != nil {
		return nil, f.errorf("%s: %w", filesOf(tensors), err)
	}
	all := slices.Clone(a.stored)
	for _, c := range a.copies {
		all = append(all, c.stored)
	}
	var places [][]float32
	for _, name := range a.names {
		if place == nil {
			break
		}
		shape := a.stored[len(places)].shape
		p, err := place(name, shape)
		if err == nil && int64(len(p)) != elements(shape) {
			err = fmt.Errorf("there is room for %d numbers, the shape %v asks for %d", len(p), shape, elements(shape))
		}
		if err != nil {
			return nil, f.errorf("tensor %s: %w", name, err)
		}
		places = append(places, p)
	}
	data, err := readAll(ctx, all, places, "reading weights", progress)
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	c := &Checkpoint{Config: f.config, Tensors: make(map[string]Tensor, len(a.names)), Tokenizer: f.tok, Source: f.source}
	for i, name := range a.names {
		c.Tensors[name] = data[i]
	}
	for i, twin := range a.copies {
		if !slices.Equal(data[len(a.names)+i].Data, c.Tensors[twin.of].Data) {
			return nil, f.errorf("%s: tensor %s differs from %s, but %s", twin.stored.file, twin.stored.name, f.config.family().stored(twin.of), twin.why)
		}
	}
	c.Digest, err = f.Digest()
	return c, err
}

// MustLoad is [Folder.Load] for cells: it panics where Load returns an error.
func (f *Folder) MustLoad(ctx context.Context, progress Progress) *Checkpoint {
	c, err := f.Load(ctx, progress)
	if err != nil {
		panic(err)
	}
	return c
}

// check says whether the tensors are exactly those of the configuration.
func (c *Checkpoint) check() error {
	if err := c.Config.Validate(); err != nil {
		return err
	}
	wrong := WeightsError{Class: c.Config.class(), predicts: c.Config.family().predicts(), headless: true}
	expected := c.Config.Expected()
	asked := make(map[string]bool, len(expected))
	for _, e := range expected {
		asked[e.Name] = true
		t, ok := c.Tensors[e.Name]
		switch {
		case !ok:
			wrong.Missing = append(wrong.Missing, e)
			wrong.headless = wrong.headless && isHead(e.Name)
		case !slices.Equal(t.Shape, e.Shape):
			wrong.Misshapen = append(wrong.Misshapen, Mismatch{e.Name, t.Shape, e.Shape})
		case int64(len(t.Data)) != elements(e.Shape):
			return fmt.Errorf("tensor %s has %d numbers; its shape %v asks for %d", e.Name, len(t.Data), e.Shape, elements(e.Shape))
		}
	}
	for name, t := range c.Tensors {
		if !asked[name] {
			wrong.Unexpected = append(wrong.Unexpected, Found{name, t.Shape})
		}
	}
	if len(wrong.Missing)+len(wrong.Unexpected)+len(wrong.Misshapen) > 0 {
		wrong.headless = wrong.headless && len(wrong.Missing) > 0
		return &wrong
	}
	return nil
}

// filesOf names the files that tensors lie in.
func filesOf(tensors []stored) string {
	var files []string
	for _, s := range tensors {
		if !slices.Contains(files, s.file) {
			files = append(files, s.file)
		}
	}
	if len(files) == 0 {
		return "the weights' file is empty"
	}
	return strings.Join(files, ", ")
}
