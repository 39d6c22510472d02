package knowledgeneurons

import (
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// numbers is the section that has each number of the paper beside the one
// measured here under the same definition.
func (b book) numbers() report.Section {
	return b.Section("numbers", report.Content{Data: map[string]any{"places": new(places)}})
}

// places counts numbers of the paper, and those inside the interval measured here.
type places struct{ All, Inside int }

// place is where a number of the paper is.
type place struct {
	Paper report.Number
	Here  report.Object // interval
	Is    string
}

// Place says whether a number is in an interval, and else whether it is nearer to
// 0 than what was measured.
func (p *places) Place(paper report.Number, here report.Object) (place, error) {
	p.All++
	i, err := here.Interval()
	is := "outside, farther from 0"
	switch x := paper.Value; {
	case x >= i.Low && x <= i.High:
		p.Inside++
		is = "in the interval"
	case math.Abs(x) < math.Abs(i.Mean):
		is = "outside, nearer to 0"
	}
	return place{paper, here, is}, err
}
