package electraplots_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/electraplots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// folder is where the examples save their figures.
var folder string

func TestMain(m *testing.M) { charttest.Main(m, &folder) }

// small keeps the images of these tests small.
var small = plots.Options{DPI: 80}

// all draws every chart from the data of these tests, by kind.
func all(o plots.Options) map[string]*plots.Figure {
	return map[string]*plots.Figure{
		"electra correct over steps": electraplots.MustSteps(trainings(), electra.Metrics[0], o),
		"electra correct over time":  electraplots.MustTime(trainings(), electra.Metrics[0], o),
	}
}

func TestFiles(t *testing.T) {
	charttest.Files(t, all, map[string][]string{})
}

func TestGolden(t *testing.T) {
	charttest.Golden(t, folder, map[string]func(){
		"electra_steps.png":     ExampleSteps,
		"electra_time.png":      ExampleTime,
		"electra_proposals.png": ExampleProposals,
		"electra_estimates.png": ExampleEstimates,
		"electra_bounds.png":    ExampleBounds,
	})
}
