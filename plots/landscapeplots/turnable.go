package landscapeplots

import (
	"crypto/sha256"
	_ "embed"
	"fmt"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

//go:embed turnable.html
var turnablePage string

// TurnableSurface makes a surface that can be turned with a mouse, a finger or the
// arrow keys, loss or error at the press of a button, with a training's trajectory on it;
// path may be nil. All is in the fragment, with a script of its own that needs
// neither a kernel nor a network. Where scripts do not run, the picture of
// [LossSurface] stands in its place.
func TurnableSurface(grid *landscape.Grid, path *landscape.Path, options ...plots.Options) (plots.HTML, error) {
	figure, err := LossSurface(grid, path, options...)
	if err != nil {
		return "", err
	}
	data := turnableData(chart.DraftOf(figure), grid, path)
	return chart.Fragment(turnablePage, figure, data.ID, data)
}

// MustTurnableSurface is [TurnableSurface] for notebook cells: it panics instead of returning an error.
func MustTurnableSurface(grid *landscape.Grid, path *landscape.Path, options ...plots.Options) plots.HTML {
	return kn.Must(TurnableSurface(grid, path, options...))
}

// turnableJSON is what the script works with.
type turnableJSON struct {
	ID          string            `json:"id"`
	Description string            `json:"description"`
	Yaw         float64           `json:"yaw"` // at first, in radians
	Pitch       float64           `json:"pitch"`
	Alphas      []float64         `json:"alphas"`
	Betas       []float64         `json:"betas"`
	TicksA      []turnableTick    `json:"ticksA"`
	TicksB      []turnableTick    `json:"ticksB"`
	Surfaces    []turnableSurface `json:"surfaces"` // loss and error
	Path        [][2]float64      `json:"path"`     // alpha and beta
	PathColor   string            `json:"pathColor"`
	Marks       []turnableMark    `json:"marks"`
}

type turnableSurface struct {
	Name   string         `json:"name"`
	Title  string         `json:"title"`
	Z      [][]float64    `json:"z"` // [alphas][betas], as shown
	Low    float64        `json:"low"`
	High   float64        `json:"high"`
	Colors []string       `json:"colors"` // of equal bands from low to high
	Ticks  []turnableTick `json:"ticks"`
}

type turnableTick struct {
	Value float64 `json:"value"`
	Label string  `json:"label"`
}

type turnableMark struct {
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	Name  string  `json:"name"`
	Color string  `json:"color"`
}

func turnableData(f *chart.Draft, g *landscape.Grid, path *landscape.Path) turnableJSON {
	few := chart.NiceTicks{Few: true}
	d := turnableJSON{
		Description: f.Description, Yaw: 0.6, Pitch: 0.55, Alphas: g.Alphas, Betas: g.Betas,
		TicksA:    turnableTicks(few.Ticks(g.Alphas[0], g.Alphas[len(g.Alphas)-1])),
		TicksB:    turnableTicks(few.Ticks(g.Betas[0], g.Betas[len(g.Betas)-1])),
		Path:      [][2]float64{},
		PathColor: chart.WebColor(f.Color(1)),
	}
	loss, lossBar := lossField(g, f.Options.Palette)
	wrong, errorBar := errorField(g, f.Options.Palette)
	name := "Loss [nats]"
	if lossBar.Log {
		name += ", logarithmic"
	}
	d.Surfaces = []turnableSurface{newTurnable("loss", f.Title+": "+name, loss, lossBar), newTurnable("error", f.Title+": Error [%]", wrong, errorBar)}
	for _, m := range []turnableMark{{0, 0, "start", ""}, {1, 0, "end", ""}, {0, 1, "other end", ""}} {
		m.Color = chart.WebColor(chart.Ink)
		d.Marks = append(d.Marks, m)
	}
	if path != nil {
		for _, q := range path.Points {
			d.Path = append(d.Path, [2]float64{q.Alpha, q.Beta})
		}
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %v", f.Title, f.Description, d.Surfaces)
	d.ID = fmt.Sprintf("%x", h.Sum(nil)[:6])
	return d
}

func newTurnable(name, title string, z field, bar chart.ColorBar) turnableSurface {
	s := turnableSurface{Name: name, Title: title, Z: mapped(z.z, round4), Low: bar.Low, High: bar.High, Ticks: turnableTicks(bar.Ticks())}
	for k := range bar.Bands {
		s.Colors = append(s.Colors, chart.WebColor(bar.Color(bar.Low+(bar.High-bar.Low)*(float64(k)+0.5)/float64(bar.Bands))))
	}
	return s
}

// round4 keeps what can be seen.
func round4(v float64) float64 { return chart.Round(100*v) / 100 }

func turnableTicks(ticks []plot.Tick) []turnableTick {
	var out []turnableTick
	for _, t := range ticks {
		out = append(out, turnableTick{t.Value, t.Label})
	}
	return out
}
