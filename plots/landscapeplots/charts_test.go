package landscapeplots_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
)

// folder is where the examples save their figures.
var folder string

func TestMain(m *testing.M) { charttest.Main(m, &folder) }

// small keeps the images of these tests small.
var small = plots.Options{DPI: 80}

// all draws every chart from the data of these tests, by kind.
func all(o plots.Options) map[string]*plots.Figure {
	return map[string]*plots.Figure{
		"loss curves":  landscapeplots.MustLossCurves([]landscapeplots.LossCurve{{"pre-trained", lossLine(0.2)}, {"from scratch", lossLine(1.5)}}, o),
		"loss surface": landscapeplots.MustLossSurface(lossGrid(5), lossPath(), o),
		"group resets": landscapeplots.MustGroupResets(groupResets(), o),
	}
}

func TestFiles(t *testing.T) {
	charttest.Files(t, all, map[string][]string{})
}

func TestGolden(t *testing.T) {
	charttest.Golden(t, folder, map[string]func(){
		"loss_curves.png":  ExampleLossCurves,
		"loss_surface.png": ExampleLossSurface,
		"group_resets.png": ExampleGroupResets,
	})
}
