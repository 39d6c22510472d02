package landscapeplots_test

import (
	"fmt"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/landscapeplots"
)

func ExampleLossCurves() {
	fig := landscapeplots.MustLossCurves([]landscapeplots.LossCurve{{"pre-trained", lossLine(0.2)}, {"from scratch", lossLine(1.5)}}, small)
	fig.MustSave(filepath.Join(folder, "loss_curves.png"))
	fmt.Println(fig.Title())
	// Output: Loss on the line through start and fine-tuned model
}

func ExampleLossSurface() {
	fig := landscapeplots.MustLossSurface(lossGrid(13), lossPath(), plots.Options{DPI: 72})
	fig.MustSave(filepath.Join(folder, "loss_surface.png"))
	fmt.Println(fig.Title())
	// Output: Loss and error on the plane of two fine-tunings
}

func ExampleGroupResets() {
	fig := landscapeplots.MustGroupResets(groupResets(), small)
	fig.MustSave(filepath.Join(folder, "group_resets.png"))
	fmt.Println(fig.Title())
	// Output: Parameters reset to their values before fine-tuning
}
