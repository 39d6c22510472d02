package electra

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Checkpoint is a generator or a discriminator in memory.
type Checkpoint struct {
	Config    ModelConfig
	Tensors   map[string]checkpoint.Tensor // exactly those of Config.Expected
	Tokenizer *tokenizer.Tokenizer
}

const (
	configFile  = "config.json"
	weightsFile = "model.safetensors"
)

// extras are tensors of published checkpoints that are passed over: copies of
// others, and counted numbers.
var extras = []string{"electra.embeddings.position_ids", "electra.embeddings.token_type_ids", "generator_lm_head.weight"}

// Open reads a folder in Hugging Face format that holds an ElectraForMaskedLM
// or an ElectraForPreTraining as config.json, model.safetensors and the
// tokenizer's files. Every tensor is accounted for.
func Open(ctx context.Context, dir string) (*Checkpoint, error) {
	c := &Checkpoint{}
	data, err := os.ReadFile(filepath.Join(dir, configFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("electra: %s has no %s; give a model's folder, such as the generator or discriminator in a training's: %w", dir, configFile, err)
	}
	if err == nil {
		err = json.Unmarshal(data, &c.Config)
	}
	if err == nil {
		err = c.Config.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("electra: %s: %w", filepath.Join(dir, configFile), err)
	}
	if c.Tokenizer, err = tokenizer.Open(os.DirFS(dir)); err != nil {
		return nil, fmt.Errorf("electra: %s: %w", dir, err)
	}
	if c.Tensors, err = checkpoint.ReadTensors(ctx, filepath.Join(dir, weightsFile), nil); err != nil {
		return nil, fmt.Errorf("electra: %w", err)
	}
	for _, extra := range extras {
		delete(c.Tensors, extra)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("electra: %s: %w; take config.json and weights from the same model", filepath.Join(dir, weightsFile), err)
	}
	return c, nil
}

// check says whether the tensors are exactly those of the configuration.
func (c *Checkpoint) check() error {
	var missing, left, misshapen []string
	asked := map[string]bool{}
	for _, e := range c.Config.Expected() {
		asked[e.Name] = true
		t, ok := c.Tensors[e.Name]
		switch {
		case !ok:
			missing = append(missing, e.Name)
		case !slices.Equal(t.Shape, e.Shape):
			misshapen = append(misshapen, fmt.Sprintf("%s is %v, not %v", e.Name, t.Shape, e.Shape))
		}
	}
	for name := range c.Tensors {
		if !asked[name] {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	var wrong []string
	for _, kind := range []struct {
		what  string
		names []string
	}{{"missing", missing}, {"left over", left}, {"misshapen", misshapen}} {
		if len(kind.names) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %s", kind.what, strings.Join(kind.names, ", ")))
		}
	}
	if len(wrong) > 0 {
		return errors.New("not the tensors of an " + c.Config.Class() + ": " + strings.Join(wrong, "; "))
	}
	return nil
}

// Save writes a folder in Hugging Face format that the class of transformers
// that the configuration names loads, and AutoTokenizer. Each file appears
// when it is complete, the weights first.
func (c *Checkpoint) Save(dir string) error {
	if err := c.Config.Validate(); err != nil {
		return fmt.Errorf("electra: cannot save to %s: %w", dir, err)
	}
	if err := c.check(); err != nil {
		return fmt.Errorf("electra: cannot save to %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("electra: cannot make the folder %s: %w", dir, err)
	}
	if err := checkpoint.WriteTensors(filepath.Join(dir, weightsFile), c.Tensors, checkpoint.SaveOptions{}); err != nil {
		return fmt.Errorf("electra: %w", err)
	}
	files, err := c.Tokenizer.Files()
	if err != nil {
		return fmt.Errorf("electra: %w", err)
	}
	if files[configFile], err = c.Config.file(); err != nil {
		return fmt.Errorf("electra: %w", err)
	}
	for name, data := range files {
		if err := renameio.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("electra: cannot write %s: %w", filepath.Join(dir, name), err)
		}
	}
	return nil
}

// file is config.json.
func (c ModelConfig) file() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	data = append(bytes.TrimSuffix(data, []byte("}")), `,"torch_dtype":"float32"}`...)
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
