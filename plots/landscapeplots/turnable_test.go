package landscapeplots_test

import (
	_ "embed"
	"encoding/json"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
)

// turnablePage is as much of a browser as the surface's script needs.
//
//go:embed testdata/turnable.js
var turnablePage string

// stage is what the page shows.
type stage struct {
	Drawn                              []stroke
	Title, Switch, Key, Label, Picture string
	Turning                            string
}

type stroke struct {
	Kind, Color, Text, Align string
	Points                   [][2]float64
}

// turnable runs a surface's script in a page, and each action in turn; it returns
// the page before the first and after each.
func turnable(t *testing.T, fragment plots.HTML, actions ...string) []stage {
	t.Helper()
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(string(fragment))
	if script == nil {
		t.Fatal("the fragment has no script")
	}
	vm := goja.New()
	var stages []stage
	for _, do := range append([]string{turnablePage + script[1]}, actions...) {
		if _, err := vm.RunString(do); err != nil {
			t.Fatal(err)
		}
		value, err := vm.RunString("state()")
		if err != nil {
			t.Fatal(err)
		}
		var s stage
		if err := json.Unmarshal([]byte(value.String()), &s); err != nil {
			t.Fatal(err)
		}
		stages = append(stages, s)
	}
	return stages
}

// only are the strokes of one kind.
func (s stage) only(kind string) (all []stroke) {
	for _, d := range s.Drawn {
		if d.Kind == kind {
			all = append(all, d)
		}
	}
	return all
}

func (s stage) texts() string {
	var all []string
	for _, d := range s.only("text") {
		all = append(all, d.Text)
	}
	return strings.Join(all, " ")
}

// TestTurnableSurface turns a surface with the pointer and with keys, and shows
// the error instead of the loss.
func TestTurnableSurface(t *testing.T) {
	const n = 13
	stages := turnable(t, landscapeplots.MustTurnableSurface(lossGrid(n), lossPath()), "drag(80, 0)", "drag(-80, 0)", "click()", "click(); drag(0, 9999)", `press("ArrowLeft"); press("Tab")`)
	first := stages[0]
	if first.Picture != "display:none" || first.Turning != "" {
		t.Errorf("the picture is styled %q, the surface %q", first.Picture, first.Turning)
	}
	if !strings.HasSuffix(first.Title, "Loss [nats], logarithmic") || first.Switch != "show the error" || !strings.Contains(first.Label, "The lowest loss is") || !strings.Contains(first.Key, "way") {
		t.Errorf("the page says %q, %q, %q, %q", first.Title, first.Switch, first.Label, first.Key)
	}
	if got := len(first.only("polygon")); got != (n-1)*(n-1) {
		t.Errorf("%d pieces of surface, want %d", got, (n-1)*(n-1))
	}
	for _, word := range []string{"α", "β", "start", "end", "other end", "0.1", "10", "−1", "2"} {
		if !strings.Contains(first.texts(), word) {
			t.Errorf("%q is missing among %q", word, first.texts())
		}
	}
	for i, s := range stages[:2] {
		texts := s.only("text")
		for k, d := range texts {
			for _, e := range texts[:k] {
				if p, q := d.Points[0], e.Points[0]; math.Abs(p[0]-q[0]) < 12 && math.Abs(p[1]-q[1]) < 9 {
					t.Errorf("stage %d: %q lies on %q", i, d.Text, e.Text)
				}
			}
		}
	}
	for i, s := range stages {
		for _, d := range s.Drawn {
			for _, p := range d.Points {
				if !(p[0] > 0 && p[0] < 600 && p[1] > 0 && p[1] < 540) {
					t.Fatalf("stage %d: %+v is outside of the canvas", i, d)
				}
			}
		}
	}
	same := func(a, b stage) bool {
		for i, d := range a.Drawn {
			if d.Kind != b.Drawn[i].Kind {
				return false
			}
			for k, p := range d.Points {
				if math.Hypot(p[0]-b.Drawn[i].Points[k][0], p[1]-b.Drawn[i].Points[k][1]) > 1e-6 {
					return false
				}
			}
		}
		return true
	}
	if same(stages[0], stages[1]) || !same(stages[0], stages[2]) || same(stages[2], stages[4]) || same(stages[4], stages[5]) {
		t.Error("turning does not turn, or turning back does not turn back")
	}
	if s := stages[3]; !strings.HasSuffix(s.Title, "Error [%]") || s.Switch != "show the loss" || !strings.Contains(s.texts(), "40") {
		t.Errorf("the error is shown as %q, %q with %q", s.Title, s.Switch, s.texts())
	}
	if path := os.Getenv("KN_TEST_TURNABLE"); path != "" { // to look at
		data, err := json.Marshal(stages)
		if err == nil {
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestTurnableHeights: seen from the side, what is higher is drawn higher.
func TestTurnableHeights(t *testing.T) {
	g := lossGrid(2)
	g.Loss, g.Error = [][]float64{{1, 1}, {3, 3}}, [][]float64{{0, 0}, {0, 0}}
	s := turnable(t, landscapeplots.MustTurnableSurface(g, nil), "drag(0, -9999)")[1]
	p := s.only("polygon")[0].Points // (0, 0), (1, 0), (1, 1), (0, 1)
	if !(p[1][1] < p[0][1]-100 && p[2][1] < p[3][1]-100) {
		t.Errorf("a rising plane is drawn at %v", p)
	}
	if len(s.only("polygon")) != 1 || s.Key != "" {
		t.Errorf("%d pieces, %q", len(s.only("polygon")), s.Key)
	}
}

func TestTurnableIsSelfContained(t *testing.T) {
	fragment := string(landscapeplots.MustTurnableSurface(lossGrid(5), nil, plots.Options{Title: `</script><script>alert("{{id}}")`}))
	if n := strings.Count(fragment, "<script"); n != 1 {
		t.Errorf("%d scripts, want 1", n)
	}
	bare := regexp.MustCompile(`xmlns(:\w+)?="[^"]*"|src="data:image/png;base64,[^"]*"`).ReplaceAllString(fragment, "")
	if m := regexp.MustCompile(`(src|href)=|https?:|@import|url\(`).FindString(bare); m != "" {
		t.Errorf("the fragment reaches out: %q", m)
	}
	if again := string(landscapeplots.MustTurnableSurface(lossGrid(5), nil, plots.Options{Title: `</script><script>alert("{{id}}")`})); again != fragment {
		t.Error("the same surface gave different bytes")
	}
	// Without a script, the picture is there and the rest is not.
	if !strings.Contains(fragment, `src="data:image/png;base64,`) || !strings.Contains(fragment, `data-kn="turning" style="display:none"`) {
		t.Error("without a script there is nothing to see, or too much")
	}
}
