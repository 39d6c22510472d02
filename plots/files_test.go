package plots_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/plots"
)

// svgText parses an SVG and returns the text in it, an element a line.
func svgText(t *testing.T, svg []byte) string {
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

func svgOf(t *testing.T, f *plots.Figure) []byte {
	t.Helper()
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	return svg
}

func TestSVGHasItsText(t *testing.T) {
	want := map[string][]string{
		"factor curves": {
			"knowledge neurons (5)", "activation-matched control (5)", "random control (5)", "unmodified model: 0.646",
			"Factor by which the neurons are multiplied", "Probability of “Paris”",
		},
		"activation scatter":        {"P36 (9)", "P19 (9)", "least-squares line", "Pearson r = 0.71 over 18 prompts, mean of 2 neurons"},
		"neurons per layer":         {"Share of the neurons [%]", "Layer (0 is next to the embeddings)"},
		"attribution heat map":      {"Score [probability]", "Neuron index (4 a column, the strongest shown)", "2:233"},
		"overlap":                   {"Overlap [%]", "refined (5)", "1  The capital of France is [MASK] ."},
		"layer distribution":        {"knowledge neurons (integrated gradients)", "activation baseline's neurons", "31", "238 facts of 34 relations, 3318 prompts"},
		"shared neurons":            {"4.10", "shared: facts of one relation", "Number of neurons"},
		"interventions":             {"suppressed (× 0)", "amplified (× 2)", "−45.0 %", "+50.0 %", "random neurons of the same layers"},
		"suppressed by relation":    {"all facts (84)", "P36 capital (7)", "Change of the answer's probability [%]", "All facts, knowledge neurons: −45.0 % [−47.0, −43.0]"},
		"amplified by relation":     {"All facts, knowledge neurons: +50.0 % [+47.0, +53.0]"},
		"activation and expression": {"T1: subject and answer", "T3: random texts", "0.485", "−0.018", "Mean activation at the masked word", "210 facts; 1800, 2050 and 1800 texts T1, T2, T3; lines: 95 % intervals"},
		"expression by relation":    {"all facts (205)", "P36 capital (6)", "T2: subject only"},
		"update rates":              {"another answer comes first", "48.5 %", "random neurons of the same layers", "1500 prompts of 210 facts; lines: 95 % intervals"},
		"erased perplexity":         {"P19 place of birth", "facts of other relations", "Change of the perplexity [%]"},
		"recipe overlap":            {"EleutherAI2021", "4.0 neurons a fact", "52", "[46, 58]", "Jaccard index [%]"},
		"recipe steps":              {"threshold t: 0.2 → 0.3 (4.4)", "alone, in Dai2022", "14 %"},
		"convergence error":         {"left Riemann (Dai 2022)", "adaptive (default)", "100", "Largest error of a score [%]"},
		"convergence agreement":     {"Nodes a layer", "Gauss-Legendre"},
		"exactness": {
			"error = estimate", "adaptive to 1 %", "adaptive to 0.1 %", "reported as not converged", "The rule's own estimate [%]",
			"Worst layer of 80 prompts, in % of the prompt's largest score; reference: adaptive to 0.001 %",
		},
		"predictions": {"before", "after", "answer: Paris", "Rome", "< 0.015", "Probability at [MASK]"},
	}
	for name, f := range all(plots.Options{}) {
		text := "\n" + svgText(t, svgOf(t, f)) + "\n"
		for _, w := range append(want[name], f.Title(), f.Description()) {
			if !strings.Contains(text, "\n"+w+"\n") {
				t.Errorf("%s: %q is not in the SVG", name, w)
			}
		}
	}
}

// TestSameBytes draws everything twice, in all formats.
func TestSameBytes(t *testing.T) {
	first, second := all(plots.Options{DPI: 60}), all(plots.Options{DPI: 60})
	for name := range first {
		for _, format := range []func(*plots.Figure) ([]byte, error){(*plots.Figure).SVG, (*plots.Figure).PNG, (*plots.Figure).PDF} {
			a, err := format(first[name])
			if err != nil {
				t.Fatal(err)
			}
			b, err := format(second[name])
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Errorf("%s: the same chart gave different bytes", name)
			}
		}
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	f := plots.MustFactorCurves(factorCurves(), plots.Options{DPI: 50})
	for name, start := range map[string]string{"a.svg": "<?xml", "a.PNG": "\x89PNG", "a.pdf": "%PDF-"} {
		path := filepath.Join(dir, name)
		for range 2 { // the second time over the first
			if err := f.Save(path); err != nil {
				t.Fatal(err)
			}
		}
		if data, err := os.ReadFile(path); err != nil || !strings.HasPrefix(string(data), start) {
			t.Errorf("%s starts with %.8q (%v)", name, data, err)
		}
	}
	if err := f.Save(filepath.Join(dir, "a.gif")); err == nil || !strings.Contains(err.Error(), ".gif") {
		t.Errorf("saving a GIF: %v", err)
	}
	if err := f.Save(filepath.Join(dir, "none", "a.svg")); err == nil {
		t.Error("saved into a folder that does not exist")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("left %v (%v), want the three figures alone", entries, err)
	}
}

func TestPNGSize(t *testing.T) {
	data, err := plots.MustFactorCurves(factorCurves(), plots.Options{Size: plots.PaperColumn}).PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 660 || size.Y != 500 {
		t.Errorf("a paper column at 200 dots an inch is %v, want 660 x 500", size)
	}
	if !bytes.Contains(data, []byte(madeUp.Digest)) {
		t.Error("the PNG does not carry the model's digest")
	}
}

func TestPDFCarriesProvenance(t *testing.T) {
	data, err := plots.MustFactorCurves(factorCurves()).PDF()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(madeUp.Digest)) {
		t.Error("the PDF does not carry the model's digest")
	}
}

func TestShowOutsideANotebook(t *testing.T) {
	if err := plots.Show(plots.MustFactorCurves(factorCurves())); !errors.Is(err, plots.ErrNoNotebook) {
		t.Errorf("Show: %v, want ErrNoNotebook", err)
	}
}

// TestSVGImagesFillTheirRectangles: a reader that kept the pixels square
// would move a heat map's cells away from its axes.
func TestSVGImagesFillTheirRectangles(t *testing.T) {
	svg := string(svgOf(t, all(plots.Options{})["attribution heat map"]))
	images := strings.Count(svg, "<image ")
	if images == 0 || strings.Count(svg, `<image preserveAspectRatio="none" `) != images {
		t.Errorf("%d images, not all of which may be stretched", images)
	}
}

// TestCharactersWithoutALetterform: what the font lacks is a box in PNG and
// PDF, and text in SVG.
func TestCharactersWithoutALetterform(t *testing.T) {
	chart := func(answer string) *plots.Figure {
		curves := factorCurves()
		curves.Answer = answer
		return plots.MustFactorCurves(curves)
	}
	forms := map[string]func(*plots.Figure) ([]byte, error){"PNG": (*plots.Figure).PNG, "PDF": (*plots.Figure).PDF}
	for name, form := range forms {
		size := map[string]int{}
		for _, answer := range []string{"", "i", "巴", "巴黎", "हिन्दी"} {
			data, err := form(chart(answer))
			if err != nil {
				t.Fatal(err)
			}
			size[answer] = ink(t, name, data)
		}
		// Two boxes are more than one, and in the PNG, of which all can be
		// counted, one is more than nothing.
		if !(size["巴"] < size["巴黎"] && size["巴黎"] < size["हिन्दी"]) || name == "PNG" && size[""] >= size["巴"] {
			t.Errorf("%s: dark pixels or bytes %v", name, size)
		}
	}
	if text := svgText(t, svgOf(t, chart("巴黎"))); !strings.Contains(text, "巴黎") {
		t.Error("the SVG has lost the characters")
	}
}

// ink counts the dark pixels in the title of a PNG, or the bytes of a PDF.
func ink(t *testing.T, form string, data []byte) (n int) {
	t.Helper()
	if form == "PDF" {
		return len(data)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for y := range 60 {
		for x := range picture.Bounds().Dx() {
			if r, _, _, _ := picture.At(x, y).RGBA(); r < 0x8000 {
				n++
			}
		}
	}
	return n
}
