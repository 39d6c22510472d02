package notebook

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// stage is a bar with a clock that stands until it is turned.
type stage struct {
	*Bar
	clock   time.Time
	waiting func()
	due     time.Time
	shown   []string
}

func newStage() *stage {
	s := &stage{clock: time.Unix(1000, 0)}
	s.Bar = &Bar{
		show: func(html, text string) { s.shown = append(s.shown, html) },
		now:  func() time.Time { return s.clock },
		after: func(d time.Duration, f func()) func() bool {
			s.waiting, s.due = f, s.clock.Add(d)
			return func() bool { s.waiting = nil; return true }
		},
	}
	return s
}

// pass lets time go by.
func (s *stage) pass(d time.Duration) {
	s.clock = s.clock.Add(d)
	if s.waiting != nil && !s.clock.Before(s.due) {
		f := s.waiting
		s.waiting = nil
		f()
	}
}

func (s *stage) last() string {
	if len(s.shown) == 0 {
		return "nothing was shown"
	}
	return s.shown[len(s.shown)-1]
}

func TestQuickComputationsShowNothing(t *testing.T) {
	s := newStage()
	for i := range 13 {
		s.Step(i, 12, "layers attributed")
		s.pass(10 * time.Millisecond)
	}
	s.pass(time.Hour)
	if len(s.shown) > 0 {
		t.Errorf("shown: %q", s.shown)
	}
}

func TestBarAppearsThoughNothingIsDoneYet(t *testing.T) {
	s := newStage()
	s.Step(0, 12, "layers attributed")
	s.pass(patience)
	if want := "0 of 12 layers attributed<"; !strings.Contains(s.last(), want) {
		t.Errorf("%q is not in %q", want, s.last())
	}
}

func TestBarTellsTheTimeLeftAndGoes(t *testing.T) {
	s := newStage()
	s.Step(2, 12, "layers attributed") // two were found in the cache
	s.pass(patience)
	s.pass(4*time.Second - patience)
	s.Step(4, 12, "layers attributed")
	if want := "4 of 12 layers attributed, about 16s left"; !strings.Contains(s.last(), want) {
		t.Errorf("%q is not in %q", want, s.last())
	}
	shown := len(s.shown)
	s.pass(redrawn / 2)
	s.Step(5, 12, "layers attributed")
	if len(s.shown) != shown {
		t.Error("the bar is drawn too often")
	}
	s.Step(12, 12, "layers attributed")
	if s.last() != "" {
		t.Errorf("at the end it shows %q", s.last())
	}
}

func TestBarGoesFromOneComputationToTheNext(t *testing.T) {
	s := newStage()
	s.Step(0, 400, "weights [KiB]")
	s.pass(time.Second)
	s.Step(100, 400, "weights [KiB]")
	s.Step(0, 12, "<layers>, 3/s, 4s left")
	s.pass(patience)
	s.pass(time.Second)
	s.Step(1, 12, "<layers>, 2/s, 5s left")
	if i := slices.Index(s.shown, ""); i < 0 || i == len(s.shown)-1 {
		t.Errorf("the first bar was not taken away: %q", s.shown)
	}
	if want := "1 of 12 &lt;layers&gt;, 2/s, 5s left</div>"; !strings.Contains(s.last(), want) {
		t.Errorf("%q is not in %q", want, s.last())
	}
}

func TestNoBarOutsideNotebooks(t *testing.T) {
	if NewBar() != nil {
		t.Error("there is a bar, and no notebook")
	}
}
