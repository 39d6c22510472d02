package facts

import (
	"cmp"
	"container/heap"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
)

// OfRelations is the source of the facts of some relations; of all if none is
// named. If the data set has no fact of one of them, it ends with an error that
// lists the relations that it has.
func OfRelations(source Source, relations ...string) Source {
	if len(relations) == 0 {
		return source
	}
	return func(yield func(Bag, error) bool) {
		found := map[string]bool{}
		for b, err := range source {
			if err == nil {
				found[b.Relation] = true
				if !slices.Contains(relations, b.Relation) {
					continue
				}
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
		for _, r := range relations {
			if !found[r] {
				yield(Bag{}, fmt.Errorf("facts: the data set has no fact of the relation %q; it has those of %s", r, listed(found)))
				return
			}
		}
	}
}

// shownRelations are as many as an error names.
const shownRelations = 12

// listed names relations in order of their properties' numbers, the first of many.
func listed(relations map[string]bool) string {
	names := slices.SortedFunc(maps.Keys(relations), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) // P9 before P10
	})
	if more := len(names) - shownRelations; more > 1 {
		names = append(names[:shownRelations], fmt.Sprintf("%d more", more))
	}
	switch n := len(names); n {
	case 0:
		return "no relation"
	case 1:
		return names[0]
	default:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
}

// Draw is the source of n facts of each relation, drawn with a seed, in the data
// set's order. A relation that has fewer keeps all. The draw depends on the
// facts, not on their order, and a larger n draws what a smaller one does, and
// more. Draw runs through the data set twice. An n of 0 or less stands for all
// facts.
func Draw(source Source, n int, seed uint64) Source {
	if n <= 0 {
		return source
	}
	return func(yield func(Bag, error) bool) {
		drawn := map[string]*lots{}
		for b, err := range source {
			if err != nil {
				yield(b, err)
				return
			}
			if drawn[b.Relation] == nil {
				drawn[b.Relation] = new(lots)
			}
			drawn[b.Relation].add(lotOf(b, seed), n)
		}
		for b, err := range source {
			if err == nil && !drawn[b.Relation].has(lotOf(b, seed)) {
				continue
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// lot decides whether a fact is drawn: those with the smallest numbers are.
type lot struct {
	number uint64
	key    string
}

func lotOf(b Bag, seed uint64) lot {
	hash := fnv.New64a()
	key := b.Key()
	fmt.Fprint(hash, seed, key)
	return lot{mix(hash.Sum64()), key}
}

// mix spreads what FNV leaves alike in texts that end alike (the finalizer of
// MurmurHash3).
func mix(x uint64) uint64 {
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

func (l lot) compare(m lot) int {
	return cmp.Or(cmp.Compare(l.number, m.number), cmp.Compare(l.key, m.key))
}

// lots is a heap of the smallest ones, the largest of them on top.
type lots []lot

func (l lots) Len() int           { return len(l) }
func (l lots) Less(i, j int) bool { return l[i].compare(l[j]) > 0 }
func (l lots) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lots) Push(x any)        { *l = append(*l, x.(lot)) }
func (l *lots) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}

// add keeps the n smallest.
func (l *lots) add(x lot, n int) {
	if heap.Push(l, x); l.Len() > n {
		heap.Pop(l)
	}
}

// has says whether a lot is among those drawn.
func (l *lots) has(x lot) bool { return x.compare((*l)[0]) <= 0 }
