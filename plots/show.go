package plots

import (
	"errors"
	"fmt"

	"github.com/janpfeifer/gonb/gonbui"
)

// ErrNoNotebook is the error of [Show] and [ShowHTML] in a program that no
// GoNB kernel runs.
var ErrNoNotebook = errors.New("plots: not in a GoNB notebook, so nothing can be shown; save the figure instead")

// Show shows figures below the cell that is running, as SVG, which the
// notebook keeps and exports. Outside a notebook it returns [ErrNoNotebook].
func Show(figures ...*Figure) error {
	if !gonbui.IsNotebook {
		return ErrNoNotebook
	}
	for i, f := range figures {
		if f == nil {
			return fmt.Errorf("plots: figure %d is nil; check the error that came with it", i)
		}
		svg, err := f.SVG()
		if err != nil {
			return err
		}
		gonbui.DisplayHTML("<div>" + string(inline(svg)) + "</div>") // image/svg+xml gets lost in exported HTML
	}
	return sent()
}

// MustShow is [Show] for notebook cells: it panics instead of returning an error.
func MustShow(figures ...*Figure) {
	if err := Show(figures...); err != nil {
		panic(err)
	}
}

// sent waits until the notebook has what was shown: a cell's program may end
// right after.
func sent() error {
	gonbui.Sync()
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("plots: the notebook cannot be reached: %w", err)
	}
	return nil
}
