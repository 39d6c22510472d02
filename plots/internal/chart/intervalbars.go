package chart

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// IntervalBars are means in groups, each a bar from 0 or a mark, with a line
// from the low to the high end of its interval. Groups are rows from the top,
// or columns from the left.
type IntervalBars struct {
	Groups  []string
	Series  []IntervalSeries
	Upright bool                  // columns
	Apart   int                   // so many first groups stand apart from the others
	Scale   float64               // of the values
	Text    func(v, s int) string // written at the end of group v's bar of series s; nil: nothing
	Rows    int                   // lines that a row's name may take
}

// IntervalSeries is one kind of means, of all groups or of some.
type IntervalSeries struct {
	Label  string
	Values []stats.Interval
	From   int  // the group of the first value
	Mark   bool // a mark beside the bars
	// OnFirst marks stand on the first of a group's bars, which they belong to,
	// instead of on all.
	OnFirst bool
}

// place is where series s is in group g: the k-th of n, its own kind.
func (b IntervalBars) place(s, g int) (k, n int) {
	for i, other := range b.Series {
		if other.Mark != b.Series[s].Mark || g < other.From || g >= other.From+len(other.Values) {
			continue
		}
		if i < s {
			k++
		}
		n++
	}
	return k, n
}

// Share of a group's room that its bars take, and that parts groups.
const (
	barShare  = 0.78
	groupsGap = 0.5
)

// at is where group g is along its axis.
func (b IntervalBars) at(g int) float64 {
	if b.Upright {
		return float64(g)
	}
	y := float64(len(b.Groups) - 1 - g)
	if g < b.Apart {
		y += groupsGap
	}
	return y
}

// offset is where the k-th of n bars or marks of a group is, from its middle.
func (b IntervalBars) offset(k, n int) float64 {
	d := barShare * ((float64(k)+0.5)/float64(n) - 0.5)
	if b.Upright {
		return d
	}
	return -d
}

// AddIntervalBars draws the bars in the first panel, and their legend. Rows
// make the figure as high as they need.
func (f *Draft) AddIntervalBars(b IntervalBars) error {
	p, t := f.Panels[0], f.Theme
	var bars Rects
	var lines Whiskers
	var texts Labels
	for s, series := range b.Series {
		color := b.color(f, s)
		for i, v := range series.Values {
			v = stats.Interval{Mean: b.Scale * v.Mean, Low: b.Scale * v.Low, High: b.Scale * v.High}
			g := series.From + i
			k, n := b.place(s, g)
			middle := b.at(g) + b.offset(k, n)
			if series.OnFirst {
				_, bars := b.place(0, g)
				middle = b.at(g) + b.offset(0, bars) + b.offset(k, n)/float64(bars)
			}
			w := Whisker{At: middle, Of: v, upright: b.Upright, Style: t.Line(0.9, Ink), Cap: t.Pt(2)}
			if series.Mark {
				w.Style.Color, w.Cap = color, 0
				w.mark = draw.GlyphStyle{Color: color, Radius: t.Pt(2.1), Shape: Glyphs[s%len(Glyphs)]}
			} else {
				bars = append(bars, b.bar(middle, barShare/float64(n)/2, v.Mean, Rect{Fill: color, Hatch: s%2 == 1}))
			}
			lines = append(lines, w)
			if b.Text != nil && !series.Mark {
				texts = append(texts, b.label(t, middle, v, b.Text(g, s)))
			}
		}
		if len(b.Series) > 1 {
			f.AddLegend(series.Label, b.thumbnail(f, s)...)
		}
	}
	if err := b.names(f); err != nil {
		return err
	}
	p.Add(Rulers{Style: t.Line(0.6, Rule), across: b.Upright, Vertical: !b.Upright}, bars, ZeroLine{t.Line(0.9, Faint), b.Upright}, lines, texts)
	b.limit(p, lines)
	return nil
}

// bar lays a bar from 0 to v.
func (b IntervalBars) bar(middle, half, v float64, r Rect) Rect {
	if b.Upright {
		r.X0, r.X1, r.Y1 = middle-half, middle+half, v
	} else {
		r.Y0, r.Y1, r.X1 = middle-half, middle+half, v
	}
	return r
}

// color is that of a series; bars are paler where marks lie on them.
func (b IntervalBars) color(f *Draft, s int) color.NRGBA {
	c := f.Options.Palette.series(s)
	if marked := slices.ContainsFunc(b.Series, func(s IntervalSeries) bool { return s.Mark }); marked && !b.Series[s].Mark {
		return Shade([]color.NRGBA{White, c}, 0.5)
	}
	return c
}

func (b IntervalBars) thumbnail(f *Draft, s int) []plot.Thumbnailer {
	color := b.color(f, s)
	if b.Series[s].Mark {
		return []plot.Thumbnailer{markThumb{f.Theme.Line(0.9, color), draw.GlyphStyle{Color: color, Radius: f.Theme.Pt(2.4), Shape: Glyphs[s%len(Glyphs)]}}}
	}
	return []plot.Thumbnailer{Swatch{Fill: color, Hatch: s%2 == 1}}
}

// label stands beyond the end of a bar's interval.
func (b IntervalBars) label(t Theme, middle float64, v stats.Interval, text string) Label {
	style := t.Style(SmallSize, Ink)
	end, side := max(v.High, v.Mean, 0), vg.Length(1)
	if v.Mean < 0 {
		end, side = min(v.Low, v.Mean), -1
	}
	if b.Upright {
		style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
		if side < 0 {
			style.YAlign = draw.YTop
		}
		return Label{middle, end, text, style, vg.Point{Y: side * t.Pt(2)}}
	}
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	if side < 0 {
		style.XAlign = draw.XRight
	}
	return Label{end, middle, text, style, vg.Point{X: side * t.Pt(4), Y: style.Font.Size * 0.08}}
}

// names writes the groups' names along their axis, and makes room for rows.
func (b IntervalBars) names(f *Draft) error {
	p, t := f.Panels[0], f.Theme
	axis, limit := &p.Y, f.NameRoom(b.Rows)
	if b.Upright {
		axis, limit = &p.X, f.Options.Size.Width*0.8/vg.Length(len(b.Groups))
	}
	var ticks []plot.Tick
	row := 1.0 // lines of text to a row
	for g, name := range b.Groups {
		lines := wrap(axis.Tick.Label, Clean(name), limit, max(1, b.Rows))
		ticks = append(ticks, plot.Tick{Value: b.at(g), Label: strings.Join(lines, "\n")})
		row = max(row, 0.2+0.7*float64(len(lines)))
		if b.Text != nil {
			for s := range b.Series {
				_, bars := b.place(s, g)
				row = max(row, 1.1*float64(bars))
			}
		}
	}
	axis.Tick.Marker = plot.ConstantTicks(ticks)
	axis.Tick.Length, axis.Tick.Width, axis.Width = t.Pt(4), 0, 0
	axis.Tick.Label.Color = Ink
	if b.Upright {
		return nil
	}
	return f.GrowFor(row * (float64(len(b.Groups)) + groupsGap))
}

// NameRoom is the width that the names of rows may take: more if they must
// stand in one line.
func (f *Draft) NameRoom(lines int) vg.Length {
	if lines > 1 {
		return f.Options.Size.Width * 0.36
	}
	return f.Options.Size.Width * 0.42
}

// limit sets the ranges of both axes; that of values has a little more than the intervals.
func (b IntervalBars) limit(p *plot.Plot, lines Whiskers) {
	groups, values := &p.Y, &p.X
	if b.Upright {
		groups, values = &p.X, &p.Y
	}
	groups.Min, groups.Max = b.at(len(b.Groups)-1)-0.5, b.at(0)+0.5
	if b.Upright {
		groups.Min, groups.Max = -0.5, float64(len(b.Groups))-0.5
	}
	groups.Padding = 0
	low, high := 0.0, 0.0
	for _, w := range lines {
		low, high = min(low, w.Of.Low, w.Of.Mean), max(high, w.Of.High, w.Of.Mean)
	}
	if low == high {
		high = 1
	}
	room := 0.04 * (high - low)
	if low < 0 {
		low -= room
	}
	if high > 0 {
		high += room
	}
	values.Min, values.Max = low, high
}

// CheckIntervals says which of a list of intervals cannot be drawn.
func CheckIntervals(name string, intervals ...stats.Interval) error {
	for i, v := range intervals {
		if err := CheckFinite(fmt.Sprintf("%s: interval %d", name, i), []float64{v.Mean, v.Low, v.High}); err != nil {
			return err
		}
		if v.Low > v.High {
			return fmt.Errorf("plots: %s: interval %d goes from %v down to %v", name, i, v.Low, v.High)
		}
	}
	return nil
}

// Whisker is a line from the low to the high end of an interval, with a mark
// at the mean if it has a shape.
type Whisker struct {
	At      float64 // on the groups' axis
	Of      stats.Interval
	upright bool
	Style   draw.LineStyle
	Cap     vg.Length // half the length of the strokes at the ends
	mark    draw.GlyphStyle
}

// Whiskers plots intervals.
type Whiskers []Whisker

// Plot draws lines and marks.
func (ws Whiskers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, w := range ws {
		to := func(v float64, aside vg.Length) vg.Point {
			if w.upright {
				return vg.Point{X: x(w.At) + aside, Y: y(v)}
			}
			return vg.Point{X: x(v), Y: y(w.At) + aside}
		}
		if w.Of.High > w.Of.Low {
			c.StrokeLines(w.Style, []vg.Point{to(w.Of.Low, 0), to(w.Of.High, 0)})
			for _, end := range []float64{w.Of.Low, w.Of.High} {
				if w.Cap > 0 {
					c.StrokeLines(w.Style, []vg.Point{to(end, -w.Cap), to(end, w.Cap)})
				}
			}
		}
		if w.mark.Shape != nil {
			c.DrawGlyphNoClip(w.mark, to(w.Of.Mean, 0))
		}
	}
}

// ZeroLine is where bars start.
type ZeroLine struct {
	Style  draw.LineStyle
	across bool
}

// Plot draws the line.
func (z ZeroLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if z.across {
		c.StrokeLine2(z.Style, c.Min.X, y(0), c.Max.X, y(0))
	} else {
		c.StrokeLine2(z.Style, x(0), c.Min.Y, x(0), c.Max.Y)
	}
}

// markThumb is a thumbnail for marks with intervals.
type markThumb struct {
	line draw.LineStyle
	mark draw.GlyphStyle
}

// Thumbnail draws the mark on its line.
func (m markThumb) Thumbnail(c *draw.Canvas) {
	middle := vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: (c.Min.Y + c.Max.Y) / 2}
	half := (c.Max.X - c.Min.X) * 0.35
	c.StrokeLine2(m.line, middle.X-half, middle.Y, middle.X+half, middle.Y)
	c.DrawGlyphNoClip(m.mark, middle)
}

// GrowFor makes the figure as high as so many lines of text and its frame
// need; it stays higher if it is.
func (f *Draft) GrowFor(lines float64) error {
	need := f.Theme.Text*vg.Length(1.35*lines) + f.Theme.Pt(110)
	if need > MaxSide {
		return fmt.Errorf("plots: %.0f rows are too many for one figure; draw some of them, or set the text smaller", lines)
	}
	f.Options.Size.Height = max(f.Options.Size.Height, need)
	return nil
}

// Percent writes a share as a change: "+27.4 %".
func Percent(v float64) string {
	digits := 1
	if math.Abs(100*v) >= 99.95 {
		digits = 0
	}
	if math.Abs(100*v) < 0.05 {
		return "0.0 %"
	}
	return strings.Replace(fmt.Sprintf("%+.*f %%", digits, 100*v), "-", "−", 1)
}

// PercentInterval writes a change with its interval.
func PercentInterval(v stats.Interval) string {
	return fmt.Sprintf("%s [%s, %s]", Percent(v.Mean), strings.TrimSuffix(Percent(v.Low), " %"), strings.TrimSuffix(Percent(v.High), " %"))
}
