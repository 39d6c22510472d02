package chart

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"
)

// HTML is a fragment of a page, complete in itself: it loads nothing.
type HTML string

// Save writes the fragment to a file as a page of its own.
func (h HTML) Save(path string) error {
	page := "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n" + string(h) + "\n</html>\n"
	if err := renameio.WriteFile(path, []byte(page), 0o644); err != nil {
		return fmt.Errorf("plots: cannot save the page: %w", err)
	}
	return nil
}

// ShowHTML shows a fragment below the cell that is running. Outside a
// notebook it returns [ErrNoNotebook].
func ShowHTML(fragment HTML) error {
	if !gonbui.IsNotebook {
		return ErrNoNotebook
	}
	gonbui.DisplayHTML(string(fragment))
	return Sent()
}

// Fragment fills in a page that makes a figure answer: its script works with
// data, its picture stands there where scripts do not run. id tells it from
// others on one page. more are further pairs of place and text.
func Fragment(page string, f *Figure, id string, data any, more ...string) (HTML, error) {
	png, err := f.PNG()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(data) // escapes < and >, so that it is safe in a script
	if err != nil {
		return "", fmt.Errorf("plots: the data of the %s cannot be written as JSON: %w", f.d.chart, err)
	}
	size := f.d.Options.Size
	return HTML(strings.NewReplacer(append([]string{
		"{{id}}", id, "{{data}}", string(text), "{{words}}", escape(f.d.Words()), "{{png}}", base64.StdEncoding.EncodeToString(png),
		"{{width}}", fmt.Sprint(size.Width.Points()), "{{font}}", fmt.Sprint(size.Text.Points()),
	}, more...)...).Replace(page)), nil
}

// Round keeps a hundredth of a point.
func Round(v float64) float64 { return math.Round(100*v) / 100 }
