// Package charttest tests charts: against golden images, for what their files
// say, and for what they make of wrong input.
package charttest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/plot/cmpimg"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// MadeUp is the provenance of results that are made up.
var MadeUp = kn.Provenance{
	Model: "google-bert/bert-base-cased", Version: "v0.1.0", Seed: 7,
	Digest:  "3b1e5f0c9f0e1d4b7a2c6d8e9f00112233445566778899aabbccddeeff001122",
	Options: map[string]any{"rule": "adaptive", "threshold": 0.2},
}

// Interval is an interval of a made-up result.
func Interval(mean, half float64) stats.Interval {
	return stats.Interval{Mean: mean, Low: mean - half, High: mean + half}
}

// Main runs a package's tests with a folder that its examples save into.
func Main(m *testing.M, folder *string) {
	var err error
	if *folder, err = os.MkdirTemp("", "plots"); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(*folder); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// tolerance of a pixel's color, from 0 to 1, for other processors' rounding.
const tolerance = 0.02

// Golden compares what each example saves in folder, under its name, with the
// image of it in testdata/golden that was looked at and found good. With the
// flag -regen it writes the images anew.
func Golden(t *testing.T, folder string, examples map[string]func()) {
	t.Helper()
	for name, example := range examples {
		t.Run(name, func(t *testing.T) {
			example()
			got, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "golden", name)
			if *cmpimg.GenerateTestData { // the flag -regen
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			same, err := cmpimg.EqualApprox("png", got, want, tolerance)
			if err != nil {
				t.Fatal(err)
			}
			if !same {
				t.Errorf("the image differs from %s; look at what -regen makes of it", golden)
			}
			if len(want) > 60<<10 {
				t.Errorf("%s has %d bytes, want at most 60 KB", golden, len(want))
			}
		})
	}
}

// Files checks the files of the charts that all draws, by their kinds: the SVG
// has the texts of its chart beside title and description, and the provenance,
// and a chart drawn twice is the same bytes in all formats.
func Files(t *testing.T, all func(plots.Options) map[string]*plots.Figure, texts map[string][]string) {
	t.Helper()
	figures, again := all(plots.Options{DPI: 60}), all(plots.Options{DPI: 60})
	for kind, f := range figures {
		svg := SVG(t, f)
		text := "\n" + Text(t, svg) + "\n"
		for _, w := range append(texts[kind], f.Title(), f.Description()) {
			if !strings.Contains(text, "\n"+w+"\n") {
				t.Errorf("%s: %q is not in the SVG", kind, w)
			}
		}
		p, err := plots.ReadProvenance(bytes.NewReader(svg))
		if err != nil || p.Chart != kind || !reflect.DeepEqual(*p, f.Provenance()) || p.Results[0].Digest != MadeUp.Digest {
			t.Errorf("%s: read back %+v, %v", kind, p, err)
		}
		for _, format := range []func(*plots.Figure) ([]byte, error){(*plots.Figure).SVG, (*plots.Figure).PNG, (*plots.Figure).PDF} {
			a, err := format(f)
			if err != nil {
				t.Fatal(err)
			}
			b, err := format(again[kind])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s: the same chart gave different bytes", kind)
			}
		}
	}
	for kind := range texts {
		if figures[kind] == nil {
			t.Errorf("there is no chart %q", kind)
		}
	}
}

// SVG is a figure as SVG.
func SVG(t testing.TB, f *plots.Figure) []byte {
	t.Helper()
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	return svg
}

// Text parses an SVG and returns the text in it, an element a line.
func Text(t testing.TB, svg []byte) string {
	t.Helper()
	var text strings.Builder
	decoder := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatalf("not well formed: %v\n%s", err, svg)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
			text.WriteByte('\n')
		}
	}
}

// Case is a chart of wrong input and what its error must name.
type Case struct {
	name  string
	draw  func() (any, error)
	names string
}

// Bad is a case with a name.
func Bad(name string, draw func() (any, error), names string) Case { return Case{name, draw, names} }

// Spoiled is a result that cannot be drawn once it is spoiled.
func Spoiled[T any](names string, fresh func() *T, spoil func(*T), draw func(*T, ...plots.Options) (*plots.Figure, error)) Case {
	return Case{names, func() (any, error) {
		r := fresh()
		spoil(r)
		return draw(r)
	}, names}
}

// Errors checks that each of the charts is an error that names what is wrong.
func Errors(t *testing.T, tests []Case) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := test.draw(); err == nil || !strings.HasPrefix(err.Error(), "plots: ") || !strings.Contains(err.Error(), test.names) {
				t.Errorf("got %v, want an error that names %q", err, test.names)
			}
		})
	}
}
