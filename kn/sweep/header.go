package sweep

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// format of a sweep's files.
const format = 1

// Header is the first line of a sweep's files: what determines its records.
type Header struct {
	Format int `json:"sweep"`
	// Keep is the share of a prompt's largest score below which scores are
	// not stored.
	Keep       float64       `json:"keep"`
	Provenance kn.Provenance `json:"provenance"`

	id string // digest of all that must be equal in files of one sweep
}

// newHeader describes what a sweep of a model with filled options computes.
func newHeader(model *kn.Model, o Options) (Header, error) {
	provenance, err := model.Provenance(map[string]any{"attribute": o.Attribute}, 0)
	if err != nil {
		return Header{}, err
	}
	h := Header{Format: format, Keep: o.Keep, Provenance: provenance}
	h.identify()
	return h, nil
}

// identify computes the header's digest. The model's name is no part of it: one
// model can lie in different folders on different machines.
func (h *Header) identify() {
	p := h.Provenance
	p.Model = ""
	h.id = digest(h.Format, h.Keep, p)
}

// key is a record's.
func (h Header) key(fact string, index int, prompt, answer string) string {
	return digest(h.id, fact, index, prompt, answer)
}

// line is the header as the first line of a file.
func (h Header) line() ([]byte, error) {
	data, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("sweep: the header: %w", err)
	}
	return append(data, '\n'), nil
}

// parseHeader reads the first line of a file.
func parseHeader(line []byte, path string) (Header, error) {
	var h Header
	if err := json.Unmarshal(line, &h); err != nil || h.Format == 0 {
		return h, fmt.Errorf("sweep: %s:1: not the header of a sweep: %.80q", path, bytes.TrimSpace(line))
	}
	if h.Format != format {
		return h, fmt.Errorf("sweep: %s:1: a sweep in format %d; this version reads format %d", path, h.Format, format)
	}
	h.identify()
	return h, nil
}

// mustEqual reports a file of another sweep.
func (h Header) mustEqual(found Header, path string) error {
	if h.id == found.id {
		return nil
	}
	what := "options"
	switch {
	case h.Provenance.Digest != found.Provenance.Digest:
		what = "model"
	case h.Keep != found.Keep:
		what = "share of the scores that are kept"
	case h.Provenance.Version != found.Provenance.Version:
		what = "version of this program"
	}
	return fmt.Errorf("sweep: %s is of a sweep with another %s (%s, not %s); choose another folder", path, what, found.describe(), h.describe())
}

// describe says in short what a header stands for.
func (h Header) describe() string {
	options, err := json.Marshal(h.Provenance.Options)
	if err != nil {
		panic(err) // it was made from JSON
	}
	return fmt.Sprintf("model %s %.8s, version %s, keep %v, %s", h.Provenance.Model, h.Provenance.Digest, h.Provenance.Version, h.Keep, options)
}
