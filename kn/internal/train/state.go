package train

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Header begins every state: what it is a state of.
type Header struct {
	Format  int    // changed when the meaning of the state does
	Digest  string // of the configuration and the data
	Backend string // whose last digits the state has
}

// WriteState puts a state and a learner's variables into a file, which appears when
// it is complete.
func WriteState(path string, header Header, state any, variables map[string]Variable) (err error) {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("train: checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }()
	buffered := bufio.NewWriter(file)
	encoder := gob.NewEncoder(buffered)
	messages := []any{header, state, len(variables)}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		messages = append(messages, name, variables[name]) // each by itself: gob holds a whole message in memory
	}
	for _, v := range messages {
		if err := encoder.Encode(v); err != nil {
			return fmt.Errorf("train: checkpoint %s: %w", path, err)
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("train: checkpoint %s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("train: checkpoint %s: %w", path, err)
	}
	return nil
}

// ReadState reads a state and returns the variables, nil when there is none. It
// fails when the state is of something else than header says.
func ReadState(path string, header Header, state any) (variables map[string]Variable, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint: %w", err)
	}
	defer file.Close()
	decoder := gob.NewDecoder(bufio.NewReader(file))
	var found Header
	err = decoder.Decode(&found)
	if elsewhere := header; err == nil && found != header {
		if elsewhere.Backend = found.Backend; found == elsewhere {
			return nil, fmt.Errorf("train: checkpoint %s was computed on the backend %s, and this is %s: set %s=%s to go on as it began, or delete the checkpoint to start again",
				path, found.Backend, header.Backend, backend.EnvVar, found.Backend)
		}
		return nil, fmt.Errorf("train: checkpoint %s is of another configuration, other data or another version; delete it to start again, or choose another folder", path)
	}
	if err == nil {
		err = decoder.Decode(state)
	}
	if err == nil {
		variables, err = readVariables(decoder)
	}
	if err != nil {
		return nil, fmt.Errorf("train: checkpoint %s cannot be read: %w; delete it to start again", path, err)
	}
	return variables, nil
}

func readVariables(decoder *gob.Decoder) (map[string]Variable, error) {
	n, variables := 0, map[string]Variable{}
	err := decoder.Decode(&n)
	for ; err == nil && n > 0; n-- {
		var name string
		var v Variable
		if err = errors.Join(decoder.Decode(&name), decoder.Decode(&v)); err == nil {
			variables[name] = v
		}
	}
	return variables, err
}

// JoinSave adds what went wrong in saving to why a training stopped.
func JoinSave(why, saving error) error {
	if saving != nil {
		return fmt.Errorf("%w; and %w", why, saving)
	}
	return why
}
