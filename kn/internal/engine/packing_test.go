package engine

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFill puts sequences of random lengths into packs: each is in one pack, no
// pack holds too many or too much, and no two packs could be one.
func TestFill(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, y := range []layout{{n: 64, perPack: 7}, {n: 40, perPack: 2}, {n: 9, perPack: 1}} {
		for range 50 {
			lengths := make([]int, rng.IntN(60))
			for i := range lengths {
				lengths[i] = 1 + rng.IntN(y.n/y.perPack+1)
			}
			var all, sums []int
			packs := y.fill(lengths)
			for _, pack := range packs {
				all = append(all, pack...)
				sum := 0
				for _, i := range pack {
					sum += lengths[i]
				}
				if y.packed() && sum > y.n || len(pack) > y.perPack {
					t.Fatalf("%+v: a pack holds %d sequences of %d tokens", y, len(pack), sum)
				}
				sums = append(sums, sum)
			}
			slices.Sort(all)
			for i, k := range all {
				if i != k || len(all) != len(lengths) {
					t.Fatalf("%+v: the packs hold %v of %d sequences", y, all, len(lengths))
				}
			}
			for i := range packs {
				for j := range i {
					if sums[i]+sums[j] <= y.n && len(packs[i])+len(packs[j]) <= y.perPack {
						t.Errorf("%+v: packs of %d and %d tokens are not one", y, sums[i], sums[j])
					}
				}
			}
		}
	}
	if packs := (layout{n: 64, perPack: 7}).fill([]int{8, 9, 10, 11, 12, 13, 14, 15, 16, 8, 9, 10, 11, 12, 13, 14, 15, 16, 8, 9, 10, 11, 12, 13, 14, 15, 16, 8, 9, 10, 11, 12, 13, 14, 15, 16}); len(packs) != 7 {
		t.Errorf("432 tokens lie in %d packs of 64, want 7", len(packs))
	}
}

// TestPacksAsInputs checks what graphs are given for two sequences in one pack
// and a pack that is empty.
func TestPacksAsInputs(t *testing.T) {
	samples := []Sample{{IDs: []int32{5, 6}, Masks: []int{1}, Answers: []int32{3}}, {IDs: []int32{7, 8, 9}, Masks: []int{0}, Answers: []int32{4}}}
	b := layout{n: 6, perPack: 2, kind: one, masked: true}.batch(samples, [][]int{{1, 0}}, 2)
	same(t, "ids", b.ids.flat, []int32{7, 8, 9, 5, 6, 0, 0, 0, 0, 0, 0, 0})
	same(t, "positions", b.positions.flat, []int32{0, 1, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0})
	same(t, "pick", b.pick.flat, []float32{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	same(t, "mask", b.mask.flat[:36], []float32{
		1, 1, 1, 0, 0, 0,
		1, 1, 1, 0, 0, 0,
		1, 1, 1, 0, 0, 0,
		0, 0, 0, 1, 1, 0,
		0, 0, 0, 1, 1, 0,
		0, 0, 0, 0, 0, 0,
	})
	same(t, "answers", b.answers, []int32{4, 3, 0, 0})
	same(t, "slots", b.slots, []int{1, 0, -1, -1})
	same(t, "first tokens", b.tokens[:2], []int{0, 3})
}

// one is the kind of samples with one mask.
var one = kind{1, 1}

// TestLongAnswersAsInputs: an answer of two tokens has two rows, and of its passes
// none sees another.
func TestLongAnswersAsInputs(t *testing.T) {
	once := Sample{IDs: []int32{5, 6, 7}, Masks: []int{1, 2}, Answers: []int32{3, 4}}
	b := layout{n: 4, perPack: 1, kind: kindOf(once), masked: true}.batch([]Sample{once}, [][]int{{0}}, 1)
	same(t, "pick", b.pick.flat, []float32{0, 1, 0, 0, 0, 0, 1, 0})
	same(t, "mask", b.mask.flat, []float32{1, 1, 1, 0})
	same(t, "answers", b.answers, []int32{3, 4})
	passes := Sample{IDs: []int32{5, 6, 5, 8}, Passes: 2, Masks: []int{1, 3}, Answers: []int32{8, 9}}
	b = sizes{}.singly(kindOf(passes), 4).batch([]Sample{passes}, [][]int{{0}}, 1)
	same(t, "positions", b.positions.flat, []int32{0, 1, 0, 1})
	same(t, "pick", b.pick.flat, []float32{0, 1, 0, 0, 0, 0, 0, 1})
	same(t, "mask", b.mask.flat, []float32{1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1})
	b = tailOf(kindOf(once)).batch([]Sample{once}, [][]int{{0}}, 2)
	same(t, "positions of a tail", b.positions.flat, []int32{1, 2, 0, 0})
	same(t, "pick of a tail", b.pick.flat, []float32{1, 0, 0, 1, 0, 0, 0, 0})
}

func same[T comparable](t *testing.T, name string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}

// TestReadingSizes: compiled texts have few lengths, none shorter than the text
// or longer than the model takes, and others have their own.
func TestReadingSizes(t *testing.T) {
	compiled, different := sizes{static: true}, map[int]bool{}
	for n := 1; n <= 510; n++ {
		got := compiled.reading(n, 510)
		if different[got] = true; got < n || got > 510 || n > 16 && got > n+n/2 {
			t.Errorf("%d tokens become %d", n, got)
		}
		if got := (sizes{}).reading(n, 510); got != n {
			t.Errorf("uncompiled, %d tokens become %d", n, got)
		}
	}
	if len(different) > 24 {
		t.Errorf("%d lengths to compile for", len(different))
	}
}

// TestTogether groups samples by their lengths.
func TestTogether(t *testing.T) {
	compiled := sizes{static: true, packing: layout{n: 64, perPack: 7, masked: true}}
	packed := compiled.packing
	packed.kind = one
	for _, c := range []struct {
		name    string
		sizes   sizes
		lengths []int
		want    []group
	}{
		{"one padded length", compiled, []int{13, 14}, []group{{compiled.singly(one, 14), []int{0, 1}}}},
		{"several", compiled, []int{8, 13, 40, 9, 39}, []group{{packed, []int{0, 1, 3}}, {compiled.singly(one, 40), []int{2, 4}}}},
		{"not compiled", sizes{}, []int{8, 9, 8}, []group{{sizes{}.singly(one, 8), []int{0, 2}}, {sizes{}.singly(one, 9), []int{1}}}},
		{"too many", sizes{}, slices.Repeat([]int{5}, 13), []group{{sizes{}.singly(one, 5), []int{0, 1, 2, 3, 4, 5, 6}}, {sizes{}.singly(one, 5), []int{7, 8, 9, 10, 11, 12}}}},
	} {
		var samples []Sample
		for _, n := range c.lengths {
			samples = append(samples, Sample{IDs: make([]int32, n), Masks: []int{0}})
		}
		got := c.sizes.together(samples, 512)
		if !slices.EqualFunc(got, c.want, func(a, b group) bool { return a.layout == b.layout && slices.Equal(a.of, b.of) }) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
