package checkpoint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// DecoderConfig is what config.json says of a causal model only. All of it is
// zero for an encoder.
type DecoderConfig struct {
	KeyValueHeads int          `json:"num_key_value_heads,omitempty"` // divides Heads; each serves Heads/KeyValueHeads heads of queries
	HeadSize      int          `json:"head_dim,omitempty"`            // d, the width of a head; H/Heads where the file does not say
	RopeTheta     float64      `json:"rope_theta,omitempty"`          // base of the rotary positions' wavelengths
	RopeScaling   *RopeScaling `json:"rope_scaling,omitempty"`        // nil: none
	AttentionBias bool         `json:"attention_bias,omitempty"`      // where the family leaves the choice
	MLPBias       bool         `json:"mlp_bias,omitempty"`            // where the family leaves the choice

	// SlidingWindow is how many tokens back the attention reaches, 0 for all.
	// Longer texts are not served: where a layer has such a window, MaxPositions
	// is no more than it.
	SlidingWindow    int      `json:"sliding_window,omitempty"`
	UseSlidingWindow bool     `json:"use_sliding_window,omitempty"` // Qwen's: otherwise there is none
	MaxWindowLayers  *int     `json:"max_window_layers,omitempty"`  // Qwen's: the first layer that has one
	LayerTypes       []string `json:"layer_types,omitempty"`        // Qwen's: instead, which layers have one

	// BeginToken and EndToken are kept as they are written, a number, a list or
	// null, for transformers, which ends there what it generates.
	BeginToken json.RawMessage `json:"bos_token_id,omitempty"`
	EndToken   json.RawMessage `json:"eos_token_id,omitempty"`

	positions   int    // max_position_embeddings, where MaxPositions is less
	unsupported string // what of the file makes it a model of another kind
}

// RopeScaling says how the wavelengths of the rotary positions are stretched.
//
// "linear" divides all frequencies by Factor. "llama3" does so with those whose
// wavelength is above OriginalMaxPositions/LowFreqFactor, leaves those below
// OriginalMaxPositions/HighFreqFactor, and goes from the one to the other
// between them.
type RopeScaling struct {
	Type                 string  `json:"rope_type"` // "linear" or "llama3"
	Factor               float64 `json:"factor"`
	LowFreqFactor        float64 `json:"low_freq_factor,omitempty"`
	HighFreqFactor       float64 `json:"high_freq_factor,omitempty"`
	OriginalMaxPositions int     `json:"original_max_position_embeddings,omitempty"`
}

// UnmarshalJSON reads today's form and the older one, which says "type".
func (r *RopeScaling) UnmarshalJSON(data []byte) error {
	type plain RopeScaling
	p := struct {
		*plain
		Old string `json:"type"`
	}{plain: (*plain)(r)}
	err := json.Unmarshal(data, &p)
	if r.Type == "" {
		r.Type = p.Old
	}
	return err
}

// MarshalJSON writes numbers that are not counted with a decimal point, without
// which transformers warns of them.
func (r RopeScaling) MarshalJSON() ([]byte, error) {
	type plain RopeScaling
	data, err := json.Marshal(plain(r))
	if err != nil {
		return nil, err
	}
	return withPoints(data, "factor", "low_freq_factor", "high_freq_factor")
}

// withPoints gives whole numbers of a JSON object a decimal point.
func withPoints(data []byte, names ...string) ([]byte, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	for _, name := range names {
		if value, ok := fields[name]; ok && !bytes.ContainsAny(value, ".e") {
			fields[name] = append(value, ".0"...)
		}
	}
	return json.Marshal(fields)
}

func (r *RopeScaling) validate() error {
	if r == nil {
		return nil
	}
	switch {
	case r.Type != "linear" && r.Type != "llama3":
		return fmt.Errorf("rope_scaling is of type %q; only \"linear\" and \"llama3\" are supported", r.Type)
	case !(r.Factor >= 1):
		return fmt.Errorf("rope_scaling has the factor %v; it must be at least 1", r.Factor)
	case r.Type == "llama3" && !(r.LowFreqFactor > 0 && r.HighFreqFactor > r.LowFreqFactor):
		return fmt.Errorf("rope_scaling has low_freq_factor %v and high_freq_factor %v; both must be above 0, the second above the first", r.LowFreqFactor, r.HighFreqFactor)
	case r.Type == "llama3" && r.OriginalMaxPositions < 1:
		return fmt.Errorf("rope_scaling has original_max_position_embeddings %d; it must be at least 1", r.OriginalMaxPositions)
	}
	return nil
}

// nullable are numbers of config.json that may be null: a default that depends
// on others holds, or there is none.
var nullable = []string{"num_key_value_heads", "head_dim", "intermediate_size", "sliding_window", "max_window_layers"}

// completeDecoder fills in what follows from the rest of a causal model's
// file, of which data is the whole.
func (c *Config) completeDecoder(data []byte) error {
	var file struct {
		Rope           json.RawMessage `json:"rope_parameters"` // of transformers 5, instead of rope_theta and rope_scaling
		Partial        *float64        `json:"partial_rotary_factor"`
		Quantization   json.RawMessage `json:"quantization_config"`
		Unscaled       *bool           `json:"scale_attn_weights"`
		ByInverseLayer bool            `json:"scale_attn_by_inverse_layer_idx"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	if len(file.Rope) > 0 && string(file.Rope) != "null" {
		rope := struct {
			Theta   *float64 `json:"rope_theta"`
			Partial *float64 `json:"partial_rotary_factor"`
		}{&c.RopeTheta, file.Partial}
		var layers map[string]json.RawMessage
		if err := json.Unmarshal(file.Rope, &layers); err == nil {
			for _, value := range layers {
				if bytes.HasPrefix(value, []byte("{")) {
					c.unsupported = "rope_parameters differ from layer to layer; only one set of them is supported"
				}
			}
		}
		c.RopeScaling = &RopeScaling{}
		if err := errors.Join(json.Unmarshal(file.Rope, &rope), json.Unmarshal(file.Rope, c.RopeScaling)); err != nil {
			return fmt.Errorf("rope_parameters: %w", err)
		}
		c.RopeScaling.Type, file.Partial = cmp.Or(c.RopeScaling.Type, "default"), rope.Partial
	}
	if c.RopeScaling != nil && c.RopeScaling.Type == "default" {
		c.RopeScaling = nil
	}
	switch {
	case len(file.Quantization) > 0 && string(file.Quantization) != "null":
		c.unsupported = "quantization_config says that the weights are quantised; choose a checkpoint with weights in F32, F16 or BF16"
	case file.Partial != nil && *file.Partial != 1:
		c.unsupported = fmt.Sprintf("partial_rotary_factor is %v; only 1 is supported", *file.Partial)
	case file.Unscaled != nil && !*file.Unscaled:
		c.unsupported = "scale_attn_weights is false; only true is supported"
	case file.ByInverseLayer:
		c.unsupported = "scale_attn_by_inverse_layer_idx is true; only false is supported"
	}
	if !c.Architecture().Rotary {
		c.RopeTheta, c.RopeScaling = 0, nil
	}
	if c.IntermediateSize == 0 && !c.Architecture().Gated {
		c.IntermediateSize = 4 * c.HiddenSize
	}
	if c.KeyValueHeads == 0 {
		c.KeyValueHeads = c.Heads
	}
	if c.HeadSize == 0 && c.Heads > 0 {
		c.HeadSize = c.HiddenSize / c.Heads
	}
	if !c.windowed() {
		c.SlidingWindow = 0
	} else if c.SlidingWindow < c.MaxPositions {
		c.positions, c.MaxPositions = c.MaxPositions, c.SlidingWindow
	}
	c.BeginToken, c.EndToken = compact(c.BeginToken), compact(c.EndToken)
	return nil
}

// windowed says whether the attention of any layer has a window.
func (c Config) windowed() bool {
	windows := c.family().windows
	return c.SlidingWindow > 0 && windows != nil && windows(c)
}

// compact is JSON without white space.
func compact(data json.RawMessage) json.RawMessage {
	if data == nil {
		return nil
	}
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data // it was read from a file that is JSON
	}
	return b.Bytes()
}

// validateDecoder reports what makes a causal model's configuration one that
// this package cannot read.
func (c Config) validateDecoder(key func(string) string) error {
	a := c.Architecture()
	switch {
	case c.unsupported != "":
		return errors.New(c.unsupported)
	case c.HiddenSize%c.Heads != 0 && c.HeadSize == c.HiddenSize/c.Heads:
		return fmt.Errorf("%s %d is not a multiple of %s %d", key("hidden_size"), c.HiddenSize, key("num_attention_heads"), c.Heads)
	case c.Heads%c.KeyValueHeads != 0:
		return fmt.Errorf("%s %d is not a multiple of num_key_value_heads %d", key("num_attention_heads"), c.Heads, c.KeyValueHeads)
	case c.Heads*c.HeadSize > largest:
		return fmt.Errorf("%d heads of width %d are too many; %d numbers are supported", c.Heads, c.HeadSize, largest)
	case a.Rotary && c.HeadSize%2 != 0:
		return fmt.Errorf("the heads are %d wide; rotary positions need an even number", c.HeadSize)
	case a.Rotary && !(c.RopeTheta > 0 && !math.IsInf(c.RopeTheta, 1)):
		return fmt.Errorf("rope_theta is %v; it must be above 0", c.RopeTheta)
	}
	return c.RopeScaling.validate()
}
