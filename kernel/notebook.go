package kernel

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Notebook is a Jupyter notebook, as far as its cells go.
type Notebook struct {
	Cells []Cell `json:"cells"`
}

// Cell is a notebook's cell.
type Cell struct {
	Type    string   `json:"cell_type"` // "code" or "markdown"
	Source  lines    `json:"source"`
	Outputs []Output `json:"outputs"`
}

// Output is something that a cell produced.
type Output struct {
	Type  string           `json:"output_type"` // "stream", "display_data", "error", ...
	Name  string           `json:"name"`        // "stdout" or "stderr" of a stream
	Text  lines            `json:"text"`
	Data  map[string]lines `json:"data"` // by MIME type
	Error string           `json:"evalue"`
}

// lines is a text that a notebook stores whole or line by line.
type lines string

// UnmarshalJSON reads either form; what is neither, such as a JSON object,
// is kept as it stands.
func (l *lines) UnmarshalJSON(data []byte) error {
	var list []string
	var text string
	switch {
	case json.Unmarshal(data, &list) == nil:
		text = strings.Join(list, "")
	case json.Unmarshal(data, &text) == nil:
	default:
		text = string(data)
	}
	*l = lines(text)
	return nil
}

// Printed is what the cell wrote to standard output.
func (c Cell) Printed() string {
	var text strings.Builder
	for _, o := range c.Outputs {
		if o.Type == "stream" && o.Name == "stdout" {
			text.WriteString(string(o.Text))
		}
	}
	return text.String()
}

// Displayed is what the cell displayed in a MIME type, all together.
func (c Cell) Displayed(mime string) string {
	var text strings.Builder
	for _, o := range c.Outputs {
		text.WriteString(string(o.Data[mime]))
	}
	return text.String()
}

// ReadNotebook reads an .ipynb file.
func ReadNotebook(path string) (*Notebook, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	n := new(Notebook)
	if err := json.Unmarshal(data, n); err != nil {
		return nil, fmt.Errorf("kernel: %s is not a notebook: %w", path, err)
	}
	return n, nil
}

// Execute runs a notebook headless through the Jupyter and our kernel, and
// saves it with its outputs as page.html and page.ipynb, page being given
// without an ending. It fails if any cell does.
func (p Paths) Execute(ctx context.Context, j Jupyter, notebook, page string) (*Notebook, error) {
	if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
		return nil, err
	}
	// A kernelspec elsewhere than in Jupyter's default place is found too.
	env := append(os.Environ(), "JUPYTER_DATA_DIR="+p.Jupyter,
		"IPYTHONDIR="+filepath.Join(p.Cache, "ipython")) // else made in the home folder
	executed := page + ".ipynb"
	_, err := command(ctx, filepath.Dir(notebook), env, j.Command, "nbconvert", "--to", "notebook", "--execute",
		"--ExecutePreprocessor.kernel_name="+Name, "--ExecutePreprocessor.timeout=600", "--ExecutePreprocessor.startup_timeout=120",
		"--output-dir", filepath.Dir(page), "--output", filepath.Base(executed), notebook)
	if err != nil {
		return nil, fmt.Errorf("kernel: running %s: %w", notebook, err)
	}
	n, err := ReadNotebook(executed)
	if err != nil {
		return nil, err
	}
	// GoNB reports some failures in the output only.
	for i, c := range n.Cells {
		for _, o := range c.Outputs {
			if o.Type == "error" {
				return n, fmt.Errorf("kernel: cell %d of %s failed: %s", i+1, notebook, o.Error)
			}
		}
	}
	_, err = command(ctx, "", env, j.Command, "nbconvert", "--to", "html", "--output-dir", filepath.Dir(page), "--output", filepath.Base(page)+".html", executed)
	if err != nil {
		return n, fmt.Errorf("kernel: saving %s as HTML: %w", notebook, err)
	}
	return n, nil
}
