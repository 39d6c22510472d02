package plots_test

import (
	"bytes"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

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
	if !bytes.Contains(data, []byte(charttest.MadeUp.Digest)) {
		t.Error("the PNG does not carry the model's digest")
	}
}

func TestPDFCarriesProvenance(t *testing.T) {
	data, err := plots.MustFactorCurves(factorCurves()).PDF()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte(charttest.MadeUp.Digest)) {
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
	svg := string(charttest.SVG(t, all(plots.Options{})["attribution heat map"]))
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
	if text := charttest.Text(t, charttest.SVG(t, chart("巴黎"))); !strings.Contains(text, "巴黎") {
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
