package experiments

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// TestTheChainPassesThroughTheRecipes: the differences listed are all that
// there are between the recipes compared.
func TestTheChainPassesThroughTheRecipes(t *testing.T) {
	chain, single := recipesOnTheWay()
	same := func(got, want kn.Recipe) bool {
		got.Name, want.Name = "", ""
		if want.Threshold == 0 {
			want.Threshold, want.Share, want.Attribute.Rule = kn.DefaultThreshold, kn.DefaultShare, kn.Adaptive
		}
		return got == want
	}
	if !same(chain[0], kn.Dai2022) || !same(chain[len(toEleutherAI)], kn.EleutherAI2021) || !same(chain[len(chain)-1], kn.Recipe{}) {
		t.Errorf("the chain is %+v", chain)
	}
	for i, r := range single {
		if same(r, kn.Dai2022) {
			t.Errorf("%s changes nothing", alone[i].what)
		}
	}
}

func TestJaccard(t *testing.T) {
	a := []kn.Neuron{{Index: 1}, {Index: 2}, {Index: 3}}
	b := []kn.Neuron{{Index: 2}, {Index: 3}, {Index: 4}}
	if got := jaccard(a, b); got != 0.5 {
		t.Errorf("two of four in common give %v", got)
	}
	if jaccard(nil, nil) != 1 || jaccard(a, nil) != 0 {
		t.Error("empty sets")
	}
}
