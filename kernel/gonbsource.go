package kernel

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const gonbPackage = "github.com/janpfeifer/gonb"

// sourceEdit changes GoNB's source where nothing outside it can help. Each
// text stands once in its file, at the version of go.mod: a new version that
// differs there fails to build, and is looked at.
type sourceEdit struct{ file, old, new string }

var sourceEdits = []sourceEdit{
	// GoNB waits twelve seconds before it connects to the gopls that it
	// started, and as long again at each try: the first Tab hangs.
	{
		"internal/goexec/goplsclient/exec.go",
		"			case <-time.After(ConnectTimeout):",
		"			case <-time.After(100 * time.Millisecond):",
	},
	{
		"internal/goexec/goplsclient/exec.go",
		"		<-time.After(ConnectTimeout)",
		"		<-time.After(20 * time.Millisecond)",
	},
	// Definitions are kept as soon as they compile. Every later cell runs
	// their initializers again, and one that fails then fails them all.
	{
		"internal/goexec/execcode.go",
		"	s.Definitions = updatedDecls\n\n	// Execute compiled code.\n	return s.Execute(msg, fileToCellIdAndLine)\n",
		`	before := s.Definitions
	s.Definitions = updatedDecls

	// Execute compiled code.
	if err := s.Execute(msg, fileToCellIdAndLine); err != nil {
		if !s.CellIsTest {
			s.Definitions = before
		}
		return err
	}
	return nil
`,
	},
	// A place of a stack trace is not found, and its cell and line are lost,
	// if the pipe hands it on in two chunks: the end of a chunk that may be the
	// first part of one waits for the next chunk, or for the program's end.
	{
		"internal/goexec/execcode.go",
		"	lineBuffer          bytes.Buffer\n}\n",
		`	lineBuffer          bytes.Buffer
	held                []byte
}

// whole returns what was held and p, but for what it now holds: an end that
// may go on as a place of a stack trace.
func (w *jupyterStackTraceMapperWriter) whole(p []byte) []byte {
	p = append(w.held, p...)
	w.held = nil
	at := bytes.LastIndexByte(p, '\t')
	if at < 0 {
		return p
	}
	place := "\t" + w.mainPath + ":"
	number, isPlace := strings.CutPrefix(string(p[at:]), place)
	if strings.HasPrefix(place, string(p[at:])) || isPlace && strings.Trim(number, "0123456789") == "" {
		w.held = bytes.Clone(p[at:])
		p = p[:at]
	}
	return p
}

// Flush writes what is held.
func (w *jupyterStackTraceMapperWriter) Flush() {
	if held := w.held; len(held) > 0 {
		w.held = nil
		_, _ = w.writeWhole(held)
	}
}

// Write implements io.Writer.
func (w *jupyterStackTraceMapperWriter) Write(p []byte) (int, error) {
	if whole := w.whole(p); len(whole) > 0 {
		if _, err := w.writeWhole(whole); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}
`,
	},
	{
		"internal/goexec/execcode.go",
		"// Write implements io.Writer, and maps references to the `main.go` file to their corresponding Lines in cells.\nfunc (w *jupyterStackTraceMapperWriter) Write(",
		"// writeWhole maps references to the `main.go` file to their corresponding Lines in cells.\nfunc (w *jupyterStackTraceMapperWriter) writeWhole(",
	},
	{
		"internal/goexec/execcode.go",
		"	err := jpyExec.Exec()\n",
		`	err := jpyExec.Exec()
	if annotator, ok := stderrWithAnnotator.(*jupyterStackTraceMapperWriter); ok {
		annotator.Flush() // here if the output is captured to a file too
	}
`,
	},
	{
		"internal/jpyexec/jpyexec.go",
		"		_, err := io.Copy(exec.stderrWriter, exec.cmdStderr)\n",
		`		_, err := io.Copy(exec.stderrWriter, exec.cmdStderr)
		if held, ok := exec.stderrWriter.(interface{ Flush() }); ok {
			held.Flush()
		}
`,
	},
}

// editedGoNB makes a copy of GoNB's source with the edits, and returns the path
// of a go.mod that is the module's with GoNB taken from there.
func (p Paths) editedGoNB(ctx context.Context) (modFile string, err error) {
	out, err := command(ctx, p.Root, p.Environment(os.Environ()), p.Go, "list", "-f", "{{.Module.Dir}}", gonbPackage)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(p.Data, "gonb-source")
	if err := os.RemoveAll(dir); err != nil {
		return "", err
	}
	source := filepath.Join(dir, "gonb")
	if err := copySource(source, strings.TrimSpace(out)); err != nil {
		return "", err
	}
	for _, e := range sourceEdits {
		path := filepath.Join(source, filepath.FromSlash(e.file))
		data, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		if n := strings.Count(string(data), e.old); n != 1 {
			return "", fmt.Errorf("kernel: %s has the text %q %d times, not once: GoNB's source has changed, see kernel/gonbsource.go", path, e.old, n)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(data), e.old, e.new, 1)), 0o644); err != nil {
			return "", err
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join(p.Root, name))
		if err != nil {
			return "", err
		}
		if name == "go.mod" {
			data = fmt.Appendf(data, "\nreplace %s => %q\n", gonbPackage, source)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "go.mod"), nil
}

// copySource copies a module's source, without the notebooks and pictures of
// its documentation. What the module cache has cannot be written; the copies
// can.
func copySource(to, from string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			if base := d.Name(); base == "docs" || base == "examples" {
				return filepath.SkipDir
			}
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	})
}
