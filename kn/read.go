package kn

import (
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// States are the values at hook points of the model, at all tokens of a text:
// what [Model.Read] returns. [transformer] has a picture of the points.
type States struct {
	Text    string             `json:"text"`
	Tokens  []string           `json:"tokens"` // as the model reads them, with those around the text, such as [CLS] and [SEP]
	Mask    int                `json:"mask"`   // position of [MASK], or of a causal prompt's last token; -1 if the text asks nothing
	Unknown []string           `json:"unknown,omitempty"`
	Sites   []transformer.Site `json:"sites"` // what was read, in the order given

	values []packed // of each site: [tokens][width], or [heads·tokens][tokens]

	Provenance Provenance `json:"provenance"`
}

// At returns the value at a site, [tokens][width], or nil if it was not read. The
// width is the hidden size H or the feed-forward size F, as [transformer.Point] says. Of
// attention probabilities see [States.Attention].
func (s *States) At(point transformer.Point, layer int) [][]float64 {
	if i := slices.Index(s.Sites, transformer.Site{Point: point, Layer: layer}); i >= 0 && point != transformer.AttentionProbs {
		return s.values[i]
	}
	return nil
}

// Attention returns a layer's attention probabilities [heads][queries][keys], or
// nil if they were not read. Each row of keys sums to 1.
func (s *States) Attention(layer int) [][][]float64 {
	i := slices.Index(s.Sites, transformer.Site{Point: transformer.AttentionProbs, Layer: layer})
	if i < 0 {
		return nil
	}
	return slices.Collect(func(yield func([][]float64) bool) {
		for head := range slices.Chunk(s.values[i], len(s.Tokens)) {
			if !yield(head) {
				return
			}
		}
	})
}

// Sites returns the given points in every layer, for [Model.Read]; without points,
// all that the model has.
func (m *Model) Sites(points ...transformer.Point) []transformer.Site {
	c := m.Config()
	if len(points) == 0 {
		for p := transformer.EmbeddingsOut; p <= transformer.ResidPost; p++ {
			if p != transformer.FFNLinear || c.Architecture().Gated {
				points = append(points, p)
			}
		}
	}
	var sites []transformer.Site
	if slices.Contains(points, transformer.EmbeddingsOut) {
		sites = append(sites, transformer.Site{Point: transformer.EmbeddingsOut})
	}
	for l := range c.Layers {
		for _, p := range points {
			if p != transformer.EmbeddingsOut {
				sites = append(sites, transformer.Site{Point: p, Layer: l})
			}
		}
	}
	return sites
}

// cachedStates are states as they lie in the cache.
type cachedStates struct {
	States
	Values []packed `json:"values"`
}

// mostCached is how many numbers of one reading are kept in the cache.
const mostCached = 1 << 22

// Read runs the model on a text and returns the values at sites, at all tokens,
// under the edits of this handle; without sites, at all that there are, in the
// manner of TransformerLens's run_with_cache:
//
//	s := model.MustRead(text, model.Sites(transformer.ResidPost, transformer.AttentionProbs)...)
//	s.At(transformer.ResidPost, 3)[token] // [H]
//	s.Attention(3)[head][query]    // [tokens]
//
// The text may have a [MASK], or none. The numbers are float32, widened. An edit
// of activations shows at [transformer.FFNPost] and in what follows from it. A text that
// is longer than the model takes is an error that wraps [tokenizer.ErrTooLong].
func (m *Model) Read(text string, sites ...transformer.Site) (*States, error) {
	if len(sites) == 0 {
		sites = m.Sites()
	}
	if err := m.checkSites(sites); err != nil {
		return nil, err
	}
	key, err := m.key("states", text, sites)
	if err != nil {
		return nil, err
	}
	found := new(cachedStates)
	if m.cache.Get(key, found) {
		found.States.values = found.Values
		return &found.States, nil
	}
	s, err := m.read(text, sites)
	if err != nil {
		return nil, err
	}
	numbers := 0
	for _, v := range s.values {
		numbers += len(v) * len(v[0])
	}
	if numbers <= mostCached {
		if err := m.cache.Put(key, &cachedStates{*s, s.values}); err != nil {
			warn(err)
		}
	}
	return s, nil
}

// MustRead is [Model.Read] for notebook cells: it panics instead of returning an error.
func (m *Model) MustRead(text string, sites ...transformer.Site) *States {
	return Must(m.Read(text, sites...))
}

func (m *Model) checkSites(sites []transformer.Site) error {
	c := m.Config()
	for _, s := range sites {
		switch {
		case s.Point > transformer.ResidPost:
			return fmt.Errorf("kn: there is no hook point %d; use those of package transformer", s.Point)
		case s.Point == transformer.EmbeddingsOut && s.Layer != 0:
			return fmt.Errorf("kn: %v is there once, in layer 0, not in layer %d", s.Point, s.Layer)
		case s.Layer < 0 || s.Layer >= c.Layers:
			return fmt.Errorf("kn: the model has no layer %d, which %v was asked for of: layers are 0 to %d", s.Layer, s.Point, c.Layers-1)
		case s.Point == transformer.FFNLinear && !c.Architecture().Gated:
			return fmt.Errorf("kn: %v is there only where the FFN is gated, which this model's is not; read %v", s.Point, transformer.FFNPre)
		}
	}
	return nil
}

func (m *Model) read(text string, sites []transformer.Site) (*States, error) {
	e, mask, err := m.encodeText(text)
	if err != nil {
		return nil, err
	}
	edits, err := m.composed()
	if err != nil {
		return nil, err
	}
	row := engine.Row{Edits: edits, Sites: sites}
	for _, id := range e.IDs {
		row.IDs = append(row.IDs, int32(id))
	}
	if mask >= 0 {
		row.Masks = []int{mask}
	}
	results, err := m.compute(engine.States, []engine.Row{row}, "texts read")
	if err != nil {
		return nil, err
	}
	s := &States{Text: text, Tokens: e.Tokens, Mask: mask, Unknown: e.Unknown, Sites: sites}
	for _, state := range results[0].States {
		s.values = append(s.values, rowsOf(state))
	}
	s.Provenance, err = m.provenance(struct{}{})
	return s, err
}

// rowsOf cuts a state into its rows.
func rowsOf(s engine.State) packed {
	width := s.Dims[len(s.Dims)-1]
	var rows packed
	for values := range slices.Chunk(s.Values, width) {
		row := make([]float64, width)
		for i, v := range values {
			row[i] = float64(v)
		}
		rows = append(rows, row)
	}
	return rows
}

// Table lists what was read: the shape of each value, the mean of its entries and
// their standard deviation.
func (s States) Table() Table {
	t := Table{Title: s.Text, Columns: []string{"read", "layer", "shape", "mean", "standard deviation"}}
	for i, site := range s.Sites {
		shape := fmt.Sprintf("%d × %d", len(s.Tokens), len(s.values[i][0]))
		if site.Point == transformer.AttentionProbs {
			shape = fmt.Sprintf("%d × %d × %d", len(s.values[i])/len(s.Tokens), len(s.Tokens), len(s.Tokens))
		}
		var all []float64
		for _, row := range s.values[i] {
			all = append(all, row...)
		}
		m, square := mean(all), 0.0
		for _, v := range all {
			square += (v - m) * (v - m) / float64(len(all))
		}
		t.Rows = append(t.Rows, []string{site.Point.String(), fmt.Sprint(site.Layer), shape, significant(m), significant(math.Sqrt(square))})
	}
	return t
}

// String returns [States.Table] as text.
func (s States) String() string { return s.Table().String() }
