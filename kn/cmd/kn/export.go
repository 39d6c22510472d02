package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type exportResult struct {
	Out   string   `json:"out"`
	Files []string `json:"files"`
}

func (a *app) export() *cobra.Command {
	var out string
	var edits []string
	var force bool
	var options checkpoint.SaveOptions
	cmd := &cobra.Command{
		Use:   "export --model MODEL --out DIR [--edits FILE]",
		Short: "Write a model as a folder that transformers loads",
		Long: `Write a model as a folder in Hugging Face format, which Python's transformers
loads with AutoModelForMaskedLM.from_pretrained and
AutoTokenizer.from_pretrained, and kn with --model DIR. The facts that a model was taught and its model card
go along. The folder appears when it is complete; one that already holds files
is left alone unless --force is given.

With --edits the weights have the edits that "kn edit --out" saved: updates and
erasures as they are, edits of activations everywhere put into weights and bias;
those at [MASK] alone no checkpoint can hold. The model card, which is
of the model without edits, then stays behind, and ` + kn.EditsFile + ` says what was done.`,
		Example: `  kn export --model mini --out ./mini
  python -c 'from transformers import pipeline; print(pipeline("fill-mask", "./mini")("The capital of France is [MASK]."))'
  printf '{"edits": [{"op": "erase", "neurons": [[1, 204], [1, 419]]}]}' > erased.json
  kn export --model mini --edits erased.json --out ./erased`,
		Args: cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			if err := checkEmpty(out, force); err != nil {
				return err
			}
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			if m, err = withEdits(m, edits); err != nil {
				return err
			}
			files, err := export(m, out, options)
			if err != nil {
				return err
			}
			return a.print(exportResult{out, files}, func(w *bytes.Buffer) {
				t := newTable("file", ">bytes")
				for _, name := range files {
					if info, err := os.Stat(filepath.Join(out, name)); err == nil {
						t.add(nil, filepath.Join(out, name), info.Size())
					}
				}
				t.write(w, a.out)
			})
		}),
	}
	a.modelFlags(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "`DIR` to write to (required)")
	cmd.Flags().StringArrayVar(&edits, "edits", nil, "`FILE` of edits to put into the weights; may be given several times, in order")
	cmd.Flags().BoolVar(&force, "force", false, "replace the files of a folder that is not empty; others in it stay")
	cmd.Flags().BoolVar(&options.F16, "half", false, "store the weights as 16-bit numbers: half the size, three digits")
	cli.Require(cmd, "out")
	cli.Known(cmd.MarkFlagDirname("out"))
	return cmd
}

// checkEmpty refuses to write to anything but an empty folder or a new one.
func checkEmpty(dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot export to %s: %w; give a folder", dir, err)
	case len(entries) > 0 && !force:
		return fmt.Errorf("%s is not empty; give another folder, or --force to replace the model in it", dir)
	}
	return nil
}

// forget removes the record of a finished training, which would otherwise be
// found again: who says --force wants to train.
func forget(record string, force bool) error {
	if !force {
		return nil
	}
	if err := os.Remove(record); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot train again: %w", err)
	}
	return nil
}

// export saves the model beside out and moves it there when it is complete.
func export(m *kn.Model, out string, options checkpoint.SaveOptions) (names []string, err error) {
	out, err = filepath.Abs(out)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return nil, fmt.Errorf("cannot export to %s: %w", out, err)
	}
	work, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+"-*")
	if err != nil {
		return nil, fmt.Errorf("cannot export to %s: %w", out, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	made := filepath.Join(work, "model")
	if err := m.Save(made, options); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(made)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if _, err := os.Lstat(out); errors.Is(err, fs.ErrNotExist) {
		return names, os.Rename(made, out)
	}
	// The folder is there already, and may be where the user stands. What an
	// earlier model in it was edited by is not true of this one.
	if !slices.Contains(names, kn.EditsFile) {
		if err := os.Remove(filepath.Join(out, kn.EditsFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("replacing the model in %s: %w", out, err)
		}
	}
	// config.json goes last: no model is found in a folder without one.
	const last = "config.json"
	moves := append(slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == last }), last)
	for _, name := range moves {
		if err := os.Rename(filepath.Join(made, name), filepath.Join(out, name)); err != nil {
			return nil, fmt.Errorf("replacing the model in %s: %w", out, err)
		}
	}
	return names, nil
}
