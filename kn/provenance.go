package kn

import "encoding/json"

// Provenance says where a result comes from, so that a figure or a table can
// be traced to what made it.
type Provenance struct {
	Model   string `json:"model"`   // see [Model.Label]
	Digest  string `json:"digest"`  // SHA-256 of weights, configuration and tokenizer
	Version string `json:"version"` // version of this module
	// Backend that computed it, such as "go:ops_sequential" or "xla:cpu". What it is made of
	// may have been in the cache, computed by another one.
	Backend string         `json:"backend,omitempty"`
	Options map[string]any `json:"options,omitempty"` // every option that changes the numbers
	Seed    uint64         `json:"seed,omitempty"`
}

// provenance describes a result of this handle made with the options.
func (m *Model) provenance(options any) (Provenance, error) {
	digest, err := m.Digest()
	if err != nil {
		return Provenance{}, err
	}
	p := Provenance{Model: m.Label(), Digest: digest, Version: Version, Backend: m.computesOn(), Options: map[string]any{}}
	data, err := json.Marshal(options)
	if err == nil {
		err = json.Unmarshal(data, &p.Options)
	}
	if err == nil && m.order != "" && m.order != AllAtOnce {
		p.Options["order"] = string(m.order)
	}
	if err == nil && len(m.edits) > 0 {
		p.Options["edits"] = m.edits
		err = roundTrip(&p.Options)
	}
	return p, err
}

// Provenance describes a result that is made of this handle's, with the
// options that decide its numbers, which must marshal to a JSON object.
func (m *Model) Provenance(options any, seed uint64) (Provenance, error) {
	p, err := m.provenance(options)
	p.Seed = seed
	return p, err
}

// roundTrip gives a map the types that it has after being read from JSON, so
// that a fresh result and one from the cache are equal.
func roundTrip(v *map[string]any) error {
	data, err := json.Marshal(*v)
	if err != nil {
		return err
	}
	*v = nil
	return json.Unmarshal(data, v)
}
