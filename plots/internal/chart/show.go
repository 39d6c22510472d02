package chart

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/plot/vg"
)

// ErrNoNotebook is the error of [Show] and [ShowHTML] in a program that no
// GoNB kernel runs.
var ErrNoNotebook = errors.New("plots: not in a GoNB notebook, so nothing can be shown; save the figure instead")

// Show shows figures below the cell that is running. The notebook keeps each as
// SVG and as PNG, of which clients take what they can show: JupyterLab the SVG,
// or the PNG if the notebook comes from somebody else and is not trusted.
// Outside a notebook it returns [ErrNoNotebook].
func Show(figures ...*Figure) error {
	if !gonbui.IsNotebook {
		return ErrNoNotebook
	}
	for i, f := range figures {
		if f == nil {
			return fmt.Errorf("plots: figure %d is nil; check the error that came with it", i)
		}
		bundle, err := Bundle(f)
		if err != nil {
			return err
		}
		gonbui.SendData(bundle)
	}
	return Sent()
}

// Bundle is the figure in all forms that a notebook keeps.
func Bundle(f *Figure) (*protocol.DisplayData, error) {
	svg, err := f.SVG()
	if err != nil {
		return nil, err
	}
	png, err := f.PNG()
	if err != nil {
		return nil, err
	}
	size := f.d.Options.Size
	return &protocol.DisplayData{
		Data: map[protocol.MIMEType]any{protocol.MIMEImageSVG: string(svg), protocol.MIMEImagePNG: png, protocol.MIMETextPlain: f.d.Words()},
		Metadata: map[string]any{
			// A PNG has more pixels than it takes on the page.
			string(protocol.MIMEImagePNG): map[string]int{"width": pixels(size.Width), "height": pixels(size.Height)},
			string(protocol.MIMEImageSVG): map[string]string{"alt": f.d.Words()},
		},
	}, nil
}

// Words is the figure for those who see no picture.
func (f *Draft) Words() string { return strings.TrimSpace(f.Title + "\n" + f.Description) }

// pixels returns a length in those of a page, 96 to an inch.
func pixels(l vg.Length) int { return int(math.Round(l.Dots(96))) }

// Sent waits until the notebook has what was shown: a cell's program may end
// right after.
func Sent() error {
	gonbui.Sync()
	if err := gonbui.Error(); err != nil {
		return fmt.Errorf("plots: the notebook cannot be reached: %w", err)
	}
	return nil
}
