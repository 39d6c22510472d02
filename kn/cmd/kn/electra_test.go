package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/electra"
)

// tinyElectra are flags of a pre-training that takes a second.
func tinyElectra(t *testing.T, out string, more ...string) []string {
	t.Helper()
	file := written(t, strings.Repeat("Paris is in France .\nMary lives in London .\n", 30))
	return append([]string{"electra", "train", "--model", small(t), "--text", file, "--batch", "3", "--length", "9", "--out", out}, more...)
}

// TestElectra pre-trains both models and finds what the training says of itself
// in its folder.
func TestElectra(t *testing.T) {
	out := filepath.Join(t.TempDir(), "electra")
	var record electra.Record
	object(t, succeeds(t, tinyElectra(t, out, "--steps", "4", "--sampler", "hp-dist", "--gamma", "2", "--checkpoints", "0,4", "--warm-up", "0", "--json")...), &record,
		"config", "backend", "generator_parameters", "discriminator_parameters", "steps", "seconds", "corpus_tokens", "data_sha256", "training", "measurements", "checkpoints")
	if record.Steps != 4 || record.Config.Sampler != electra.HPDist || record.Config.Gamma != 2 || record.Config.WarmUp != 0 || record.Config.Hidden == 0 || len(record.Measurements) != 2 {
		t.Errorf("%+v", record)
	}
	kept, err := electra.ReadRecord(out)
	if err != nil || kept.Seconds != record.Seconds {
		t.Errorf("the folder's record is %+v (%v)", kept, err)
	}
	for _, dir := range []string{out, electra.CheckpointDir(out, 0), electra.CheckpointDir(out, 4)} {
		if _, err := electra.OpenDetector(t.Context(), filepath.Join(dir, electra.DiscriminatorDir)); err != nil {
			t.Error(err)
		}
	}
	text := succeeds(t, tinyElectra(t, filepath.Join(t.TempDir(), "again"), "--steps", "2")...)
	for _, word := range []string{"generator and discriminator", "2 steps", "confidence", "drawn plainly"} {
		if !strings.Contains(text, word) {
			t.Errorf("%q is missing in\n%s", word, text)
		}
	}
	for want, c := range map[string][]string{
		"--force":            tinyElectra(t, out, "--steps", "4"),
		"longer text":        tinyElectra(t, t.TempDir(), "--batch", "1000"),
		"P9999":              {"electra", "train", "--model", "mini", "--relations", "P36,P9999", "--out", t.TempDir()},
		"what it was taught": {"electra", "train", "--model", small(t), "--out", t.TempDir()},
	} {
		if o := finished(t, command(t, c...)); o.code != cli.ExitFailure || o.stdout != "" || !strings.Contains(o.stderr, want) {
			t.Errorf("%q: %+v", want, o)
		}
	}
}
