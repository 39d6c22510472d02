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
	samples := []Sample{{IDs: []int32{5, 6}, Mask: 1, Answer: 3}, {IDs: []int32{7, 8, 9}, Mask: 0, Answer: 4}}
	b := layout{n: 6, perPack: 2, masked: true}.batch(samples, [][]int{{1, 0}}, 2)
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
	same(t, "rows", b.rows, []int{1, 0, -1, -1})
	same(t, "first tokens", b.tokens[:2], []int{0, 3})
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
	for _, c := range []struct {
		name    string
		sizes   sizes
		lengths []int
		want    []group
	}{
		{"one padded length", compiled, []int{13, 14}, []group{{compiled.singly(14), []int{0, 1}}}},
		{"several", compiled, []int{8, 13, 40, 9, 39}, []group{{compiled.packing, []int{0, 1, 3}}, {compiled.singly(40), []int{2, 4}}}},
		{"not compiled", sizes{}, []int{8, 9, 8}, []group{{sizes{}.singly(8), []int{0, 2}}, {sizes{}.singly(9), []int{1}}}},
		{"too many", sizes{}, slices.Repeat([]int{5}, 13), []group{{sizes{}.singly(5), []int{0, 1, 2, 3, 4, 5, 6}}, {sizes{}.singly(5), []int{7, 8, 9, 10, 11, 12}}}},
	} {
		got := c.sizes.together(c.lengths, 512)
		if !slices.EqualFunc(got, c.want, func(a, b group) bool { return a.layout == b.layout && slices.Equal(a.of, b.of) }) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
