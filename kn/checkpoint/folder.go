package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/gitlfs"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// configFile is the name of the configuration in every folder.
const configFile = "config.json"

// Folder is a checkpoint whose configuration and tokenizer have been read and
// whose weights have not.
type Folder struct {
	fsys   fs.FS
	dir    string // on disk; "" for other file systems
	source string
	config Config
	tok    *tokenizer.Tokenizer

	commit string // on the hub; "" for other sources

	digest func() (string, error)
}

// OpenFolder reads the configuration and the tokenizer of a folder in Hugging
// Face format. It never touches the network.
func OpenFolder(dir string) (*Folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %s: %w", dir, err)
	}
	info, err := os.Stat(abs)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: there is no model folder %s; give the folder that holds config.json: %w", dir, err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("checkpoint: %s is a file; give the folder that holds config.json", dir)
	}
	return open(os.DirFS(abs), abs, dir)
}

// OpenFS is [OpenFolder] for any file system, such as an embedded one. source
// names it in messages.
func OpenFS(fsys fs.FS, source string) (*Folder, error) { return open(fsys, "", source) }

func open(fsys fs.FS, dir, source string) (*Folder, error) {
	f := &Folder{fsys: fsys, dir: dir, source: source}
	f.digest = sync.OnceValues(f.computeDigest)
	data, err := f.readText(configFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, f.errorf("it holds no %s; give a folder in Hugging Face format: %w", configFile, err)
	}
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	if f.config, err = parseConfig(data); err != nil {
		return nil, f.errorf("%s: %w", configFile, err)
	}
	if f.tok, err = tokenizer.Open(fsys); err != nil {
		return nil, f.errorf("%w", err)
	}
	if !f.config.Causal() && !f.tok.Masked() {
		return nil, f.errorf("%s is a masked language model's, but the tokenizer has no mask token, or none at both ends of a text; take both from the same model", configFile)
	}
	return f, f.checkVocabulary()
}

// readText reads a text file of the folder, which must be UTF-8.
func (f *Folder) readText(name string) ([]byte, error) {
	data, err := fs.ReadFile(f.fsys, name)
	if err != nil {
		return nil, err
	}
	if err := gitlfs.Check(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return utf8text.Clean(data, name)
}

// The number of rows that a vocabulary is commonly padded by at most: to make
// its size a multiple of 64 or 128, and that of Qwen's models one of 512.
const (
	padding       = 127
	causalPadding = 511
)

// checkVocabulary refuses a vocabulary that cannot be the model's.
func (f *Folder) checkVocabulary() error {
	have, want, most := f.tok.Size(), f.config.VocabSize, padding
	if f.config.Causal() {
		most = causalPadding
	}
	if have <= want && want-have <= most {
		return nil
	}
	return f.errorf("the vocabulary has %d tokens, but %s has vocab_size %d; take both from the same model", have, configFile, want)
}

func (f *Folder) errorf(format string, args ...any) error {
	return fmt.Errorf("checkpoint: %s: %w", f.source, fmt.Errorf(format, args...))
}

// Config is the model's configuration.
func (f *Folder) Config() Config { return f.config }

// Tokenizer is the model's tokenizer.
func (f *Folder) Tokenizer() *tokenizer.Tokenizer { return f.tok }

// Source is the folder or repository as the caller named it.
func (f *Folder) Source() string { return f.source }

// Dir is the folder on disk, or "" if there is none.
func (f *Folder) Dir() string { return f.dir }

// has says whether a file is there.
func (f *Folder) has(name string) bool {
	info, err := fs.Stat(f.fsys, name)
	return err == nil && !info.IsDir()
}

// openAt opens a file for reading at any offset.
func (f *Folder) openAt(name string) (io.ReaderAt, int64, io.Closer, error) {
	file, err := f.fsys.Open(name)
	if err != nil {
		return nil, 0, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, nil, errors.Join(err, file.Close())
	}
	at, ok := file.(io.ReaderAt)
	if !ok {
		return nil, 0, nil, errors.Join(fmt.Errorf("%s: this file system cannot read at an offset; copy the model to disk", name), file.Close())
	}
	return at, info.Size(), file, nil
}

// Commit is the commit of the hub's repository that the model was pinned to,
// or "" if it does not come from the hub.
func (f *Folder) Commit() string { return f.commit }
