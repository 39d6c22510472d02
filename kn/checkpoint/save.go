package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// SaveOptions say how [Checkpoint.SaveWith] stores a model. The zero value is
// what Save does.
type SaveOptions struct {
	F16 bool // store the weights as F16: half the size, three digits of precision
}

// Save writes a folder in Hugging Face format that transformers loads with the
// class that the model was read as, BertForMaskedLM say, and its tokenizer
// with AutoTokenizer: config.json, model.safetensors and the tokenizer's files.
// The folder is made if it does not exist. Each file is written under another name
// and renamed when it is complete, the weights first, so that an interrupted Save
// leaves no half-written file.
func (c *Checkpoint) Save(dir string) error { return c.SaveWith(dir, SaveOptions{}) }

// SaveWith is [Checkpoint.Save] with options.
func (c *Checkpoint) SaveWith(dir string, opts SaveOptions) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("checkpoint: cannot save to %s: %w", dir, err)
	}
	if c.Tokenizer == nil {
		return fmt.Errorf("checkpoint: cannot save to %s: there is no tokenizer", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("checkpoint: cannot make the folder %s: %w", dir, err)
	}
	if err := WriteTensors(filepath.Join(dir, safetensorsFile), c.toStore(), opts); err != nil {
		return err
	}
	files, err := c.Tokenizer.Files()
	if err != nil {
		return err
	}
	if files[configFile], err = c.configJSON(opts); err != nil {
		return err
	}
	for name, data := range files {
		if err := renameio.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("checkpoint: cannot write %s: %w", filepath.Join(dir, name), err)
		}
	}
	return nil
}

// toStore are the tensors by their stored names, as all versions of
// transformers find them: version 5 reads the bias of an untied decoder under
// the decoder's name, older ones under the head's.
func (c *Checkpoint) toStore() map[string]Tensor {
	f := c.Config.family()
	tensors := make(map[string]Tensor, len(c.Tensors))
	for name, t := range c.Tensors {
		slot := f.slot(Expected{name, t.Shape})
		if slot.whole() {
			tensors[slot.name] = t
			continue
		}
		if _, ok := tensors[slot.name]; !ok {
			tensors[slot.name] = Tensor{slot.shape, make([]float32, elements(slot.shape))}
		}
		slot.put(tensors[slot.name].Data, t)
	}
	if bias, ok := c.Tensors[headBias]; ok && f.biasTwin != "" && !c.Config.TieWordEmbeddings {
		tensors[f.biasTwin] = bias
	}
	return tensors
}

// configJSON is config.json, with the class and the type of the numbers that
// transformers wants to know.
func (c *Checkpoint) configJSON(opts SaveOptions) ([]byte, error) {
	config := c.Config
	config.Architectures = []string{config.class()}
	data, err := config.file()
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	dtype := "float32"
	if opts.F16 {
		dtype = "float16"
	}
	data = append(bytes.TrimSuffix(data, []byte("}")), fmt.Sprintf(`,"torch_dtype":%q}`, dtype)...)
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
