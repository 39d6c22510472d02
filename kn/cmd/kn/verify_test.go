package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/verify"
)

// TestVerify: the exit status, and what is said, of figures of all kinds.
func TestVerify(t *testing.T) {
	model := small(t)
	m := kn.MustLoad(model, kn.WithCache("off"))
	neurons := []kn.Neuron{{Layer: 0, Index: 13}, {Layer: 1, Index: 14}}
	curves := m.MustFactorCurves([]string{prompt}, "Paris", neurons, kn.CurveOptions{Factors: []float64{0, 1, 2}, Draws: 1})
	svg := func() []byte {
		data, err := plots.MustFactorCurves(curves).SVG()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	good := svg()
	curves.Own.Probability[1] *= 1.5
	wrong := svg()
	embedded := kn.MustLoad("mini", kn.WithCache("off"))
	ofMini, err := plots.MustFactorCurves(embedded.MustFactorCurves([]string{prompt}, "Paris", neurons, kn.CurveOptions{Factors: []float64{0, 1}, Draws: 1})).SVG()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := m.Digest()
	if err != nil {
		t.Fatal(err)
	}
	swapped := func(from, to string) []byte { return bytes.ReplaceAll(good, []byte(from), []byte(to)) }
	drawn := bytes.Index(good, []byte(`,"drawn":`))
	sweep := append(bytes.Clone(good[:drawn]), "}</kn:provenance></metadata></svg>"...)
	of := []string{"--model", model}
	for name, c := range map[string]struct {
		svg    []byte
		more   []string
		code   int
		stdout []string
		stderr string
	}{
		"equal":              {good, of, 0, []string{": equal\n", "count as equal up to 0.1 %", "the picture is the one"}, ""},
		"equal, of mini":     {ofMini, nil, 0, []string{"factor curves of mini, made by version " + kn.Version}, ""},
		"a number":           {wrong, of, exitDifferent, []string{"knowledge neurons, probability at factor 1", ": 1 of "}, "1 of "},
		"a wide tolerance":   {wrong, append([]string{"--tolerance", "0.9"}, of...), 0, []string{"up to 90 %"}, ""},
		"the picture":        {bytes.Replace(good, []byte(">Scaling"), []byte(">Changing"), 1), of, exitOtherPicture, []string{"the numbers are equal, the picture is another", "Changing"}, "picture"},
		"no provenance":      {[]byte("<svg/>"), of, exitNoProvenance, nil, "no provenance"},
		"no model":           {good, nil, exitNoModel, nil, "with --model"},
		"no such model":      {good, []string{"--model", "./no/such"}, exitNoModel, nil, "./no/such"},
		"another model":      {good, []string{"--model", "mini"}, exitOtherModel, nil, digest},
		"another version":    {swapped(`"version":"`+kn.Version, `"version":"0.1.0`), of, exitOtherVersion, nil, "--any-version"},
		"any version":        {swapped(`"version":"`+kn.Version, `"version":"0.1.0`), append([]string{"--any-version"}, of...), 0, []string{"made by version 0.1.0"}, ""},
		"hours":              {bytes.Replace(sweep, []byte("factor curves"), []byte("update rates"), 1), of, exitTakesHours, nil, "kn reproduce knowledge-neurons"},
		"damaged":            {good[:drawn], of, exitDamagedFigure, nil, "damaged"},
		"of a terminal's":    {swapped(`"model":"model"`, `"model":"\u001b[31mred"`), nil, exitNoModel, nil, "[31mred"},
		"prompt of no model": {swapped("Paris", "日"), of, cli.ExitFailure, nil, "日"},
	} {
		path := filepath.Join(t.TempDir(), "fact.svg")
		if err := os.WriteFile(path, c.svg, 0o600); err != nil {
			t.Fatal(err)
		}
		o := within(append([]string{"verify", path}, c.more...)...)
		if o.code != c.code || (c.stderr == "") != (o.stderr == "") || !strings.Contains(o.stderr, c.stderr) || o.stderr != "" && !isOneLine(o.stderr) {
			t.Errorf("%s: exit status %d, want %d; stderr %q", name, o.code, c.code, o.stderr)
		}
		if strings.Contains(o.stdout+o.stderr, "\x1b") || (len(c.stdout) == 0) != (o.stdout == "") {
			t.Errorf("%s: stdout %q, stderr %q", name, o.stdout, o.stderr)
		}
		for _, words := range c.stdout {
			if !strings.Contains(o.stdout, words) {
				t.Errorf("%s: %q is not in %s", name, words, o.stdout)
			}
		}
	}
}

// TestVerifyAsJSON runs the program itself.
func TestVerifyAsJSON(t *testing.T) {
	m := kn.MustLoad(small(t), kn.WithCache("off"))
	a := m.MustAttribute(prompt, "Paris")
	a.Scores[1][14] *= 3
	path := filepath.Join(t.TempDir(), "paris.svg")
	plots.MustAttributionHeatMap(a).MustSave(path)
	o := finished(t, command(t, "verify", path, "--model", small(t), "--json"))
	var r verify.Report
	object(t, o.stdout, &r, "chart", "title", "models", "digests", "version", "tolerance", "numbers", "largest", "different", "differences", "picture", "notes")
	if o.code != exitDifferent || r.Different == 0 || !strings.Contains(r.Differences[0].What, "1:14") || r.Picture != "" {
		t.Errorf("exit status %d, %+v", o.code, r)
	}
}
