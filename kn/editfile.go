package kn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// editJSON is an edit as JSON: only what its operation knows is there.
type editJSON struct {
	Op         EditOp    `json:"op"`
	Neurons    *[]Neuron `json:"neurons"`
	Value      *float64  `json:"value,omitempty"`
	Everywhere bool      `json:"everywhere,omitempty"`
	Old        *string   `json:"old,omitempty"`
	New        *string   `json:"new,omitempty"`
	Lambda1    *float64  `json:"lambda1,omitempty"`
	Lambda2    *float64  `json:"lambda2,omitempty"`
}

// MarshalJSON writes what belongs to the edit's operation, such as
// {"op":"update","neurons":[[1,204]],"old":"Paris","new":"Rome","lambda1":1,"lambda2":8}.
func (e Edit) MarshalJSON() ([]byte, error) {
	if e.Neurons == nil {
		e.Neurons = []Neuron{}
	}
	j := editJSON{Op: e.Op, Neurons: &e.Neurons}
	switch e.Op {
	case OpScale, OpSet:
		j.Value, j.Everywhere = &e.Value, e.Everywhere
	case OpUpdate:
		j.Old, j.New, j.Lambda1, j.Lambda2 = &e.Old, &e.New, &e.Lambda1, &e.Lambda2
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes. A field that is missing, or that
// the operation does not have, is an error; lambda1 and lambda2 may be left out and
// are then the authors'.
func (e *Edit) UnmarshalJSON(data []byte) error {
	var j editJSON
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&j); err != nil {
		return err
	}
	have := map[string]bool{
		"value": j.Value != nil, "old": j.Old != nil, "new": j.New != nil, "lambda1": j.Lambda1 != nil, "lambda2": j.Lambda2 != nil, "everywhere": j.Everywhere,
	}
	var need, may []string
	switch j.Op {
	case OpScale, OpSet:
		need, may = []string{"value"}, []string{"everywhere"}
	case OpUpdate:
		need, may = []string{"old", "new"}, []string{"lambda1", "lambda2"}
	case OpErase:
	default:
		return fmt.Errorf("unknown edit %q; use %q, %q, %q or %q", j.Op, OpScale, OpSet, OpUpdate, OpErase)
	}
	if j.Neurons == nil {
		return fmt.Errorf(`the edit %q has no "neurons"; write them as [[layer, index], ...]`, j.Op)
	}
	for _, name := range []string{"value", "everywhere", "old", "new", "lambda1", "lambda2"} {
		switch {
		case !have[name] && slices.Contains(need, name):
			return fmt.Errorf("the edit %q has no %q", j.Op, name)
		case have[name] && !slices.Contains(need, name) && !slices.Contains(may, name):
			return fmt.Errorf("the edit %q has a %q, which it does not take", j.Op, name)
		}
	}
	*e = Edit{Op: j.Op, Neurons: *j.Neurons, Everywhere: j.Everywhere}
	if j.Op == OpUpdate {
		e.Lambda1, e.Lambda2 = DefaultLambda1, DefaultLambda2
	}
	take(&e.Value, j.Value)
	take(&e.Old, j.Old)
	take(&e.New, j.New)
	take(&e.Lambda1, j.Lambda1)
	take(&e.Lambda2, j.Lambda2)
	return nil
}

// take sets v to what p points at, if anything.
func take[T any](v, p *T) {
	if p != nil {
		*v = *p
	}
}

// editFile is a file of edits, with what model they were made for.
type editFile struct {
	Edits   []Edit `json:"edits"`
	Model   string `json:"model,omitempty"`
	Digest  string `json:"digest,omitempty"` // of the model without the edits
	Version string `json:"version,omitempty"`
}

// SaveEdits writes the edits of this handle to a file, which [LoadEdits] reads. The
// file is replaced when it is complete.
func (m *Model) SaveEdits(path string) error {
	digest, err := m.Digest()
	if err != nil {
		return err
	}
	content := editFile{Edits: m.edits, Model: m.Label(), Digest: digest, Version: Version}
	if content.Edits == nil {
		content.Edits = []Edit{}
	}
	data, err := json.MarshalIndent(content, "", " ")
	if err == nil {
		err = renameio.WriteFile(path, append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("kn: saving edits in %s: %w", path, err)
	}
	return nil
}

// MustSaveEdits is [Model.SaveEdits] for notebook cells: it panics instead of returning an error.
func (m *Model) MustSaveEdits(path string) {
	if err := m.SaveEdits(path); err != nil {
		panic(err)
	}
}

// LoadEdits reads a file of edits: what [Model.SaveEdits] writes, or an object
// {"edits": [...]} written by hand. [Model.With] applies them, to the model that
// they were made for or to another one that has the neurons.
func LoadEdits(path string) ([]Edit, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		data, err = utf8text.Clean(data, path)
	}
	if err != nil {
		return nil, fmt.Errorf("kn: reading edits: %w; give a file that kn edit --out or Model.SaveEdits wrote", err)
	}
	var content editFile
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err = decoder.Decode(&content); err == nil && content.Edits == nil {
		err = errors.New(`it has no "edits"`)
	}
	if err == nil && decoder.More() {
		err = errors.New("more follows the first object")
	}
	if err != nil {
		return nil, fmt.Errorf(`kn: %s holds no edits: %w; write {"edits": [{"op": "erase", "neurons": [[0, 1]]}]}, or save them again`, path, err)
	}
	return content.Edits, nil
}

// MustLoadEdits is [LoadEdits] for notebook cells: it panics instead of returning an error.
func MustLoadEdits(path string) []Edit { return Must(LoadEdits(path)) }
