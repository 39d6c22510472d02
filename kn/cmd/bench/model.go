package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// benchSubject is the model that is measured.
type benchSubject struct {
	Model      string `json:"model"`      // its folder
	Name       string `json:"name"`       // the folder's, or the one on the hub
	Parameters int    `json:"parameters"` // its weights
	Digest     string `json:"digest"`     // SHA-256 of weights, configuration and tokenizer

	trained      bool // it is not the random checkpoint
	maxPositions int
	tokenizer    *tokenizer.Tokenizer
}

// openBenchModel opens the model that --model names, or the random checkpoint
// of a size, which it makes below dir if need be.
func (a *app) openBenchModel(ctx context.Context, b *benchmark, dir, size string) error {
	folder, name := "", ""
	var err error
	if a.model != "" {
		folder, name, err = a.benchFolder(ctx)
	} else {
		folder, err = benchModel(ctx, dir, size, b.say)
		name = filepath.Base(folder)
	}
	if err != nil {
		return err
	}
	model, err := kn.Load(folder, kn.WithContext(ctx))
	if err != nil {
		return err
	}
	b.benchSubject = benchSubject{
		Model: folder, Name: name, Parameters: model.Config().Parameters(),
		trained: a.model != "", maxPositions: model.Config().MaxPositions, tokenizer: model.Tokenizer(),
	}
	b.Digest, err = model.Digest()
	return err
}

// benchFolder finds the folder of the model that --model names, and what to
// call it.
func (a *app) benchFolder(ctx context.Context) (folder, name string, err error) {
	a.bar = cli.NewBar(a.stderr, a.err)
	defer a.bar.Finish()
	if _, err := cli.Load(a.model, kn.WithContext(ctx), kn.WithProgress(a.bar.Step)); err != nil { // a folder that is not there, or a classifier
		return "", "", err
	}
	opened, err := kn.OpenCheckpoint(a.model, kn.WithContext(ctx))
	if err != nil {
		return "", "", err
	}
	if opened.Dir() == "" {
		return "", "", fmt.Errorf("%s is embedded in this program, and the published tools need a folder; "+
			"write one with kn export --model %[1]s --out FOLDER, and give it", a.model)
	}
	if folder, err = filepath.Abs(opened.Dir()); err != nil {
		return "", "", err
	}
	if info, err := os.Stat(a.model); err == nil && info.IsDir() {
		return folder, filepath.Base(folder), nil
	}
	return folder, a.model, nil
}

// heading names the model in the report.
func (s benchSubject) heading() string {
	parameters := fmt.Sprintf("%d", s.Parameters)
	if s.Parameters >= 1e6 {
		parameters = fmt.Sprintf("%.3g million", float64(s.Parameters)/1e6)
	}
	return fmt.Sprintf("%s, %s parameters, digest %.8s", s.Name, parameters, s.Digest)
}
