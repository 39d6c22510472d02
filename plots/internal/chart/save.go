package chart

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Save writes the figure to a file whose name ends in .svg, .png or .pdf. It
// writes a temporary file and renames it, so that there is never half a
// figure, and an older one is lost only when the new one is complete.
func (f *Figure) Save(path string) error {
	data, err := f.encode(path)
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("plots: cannot save the %s: %w", f.d.chart, err)
	}
	return nil
}

// MustSave is [Figure.Save] for notebook cells: it panics instead of returning an error.
func (f *Figure) MustSave(path string) {
	if err := f.Save(path); err != nil {
		panic(err)
	}
}

func (f *Figure) encode(path string) ([]byte, error) {
	switch extension := strings.ToLower(filepath.Ext(path)); extension {
	case ".svg":
		return f.SVG()
	case ".png":
		return f.PNG()
	case ".pdf":
		return f.PDF()
	default:
		return nil, fmt.Errorf("plots: cannot save %q: end its name in .svg, .png or .pdf, not %q", path, extension)
	}
}
