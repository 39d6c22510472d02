package electraplots

import (
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
)

// TestSeries: a variant looks the same whichever others are drawn, and
// no two look alike.
func TestSeries(t *testing.T) {
	record := func(s electra.Sampler, gamma float64) *electra.Record {
		return &electra.Record{Config: electra.Config{Sampler: s, Gamma: gamma}, Measurements: []electra.Measurement{{}}}
	}
	plain := []*electra.Record{record("", 0), record(electra.Plain, 1)}
	hard := []*electra.Record{record(electra.HPLoss, 0), record(electra.HPLoss, 1), record(electra.HPDist, 0), record(electra.HPDist, 1)}
	for name, c := range map[string]struct {
		records []*electra.Record
		want    []int
	}{
		"all":          {append(plain, hard...), []int{0, 1, 2, 3, 4, 5}},
		"hardness":     {hard, []int{2, 3, 4, 5}},
		"three gammas": {append([]*electra.Record{record(electra.HPLoss, 2)}, hard[:2]...), []int{2, 3, 8}},
	} {
		variants, runs, err := byVariant(c.records)
		if err != nil {
			t.Fatal(err)
		}
		if got := seriesOf(variants, runs); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
