package plots

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

// intervalBars are means in groups, each a bar from 0 or a mark, with a line
// from the low to the high end of its interval. Groups are rows from the top,
// or columns from the left.
type intervalBars struct {
	groups  []string
	series  []intervalSeries
	upright bool                  // columns
	apart   int                   // so many first groups stand apart from the others
	scale   float64               // of the values
	text    func(v, s int) string // written at the end of group v's bar of series s; nil: nothing
	rows    int                   // lines that a row's name may take
}

// intervalSeries is one kind of means, of all groups or of some.
type intervalSeries struct {
	label  string
	values []stats.Interval
	from   int  // the group of the first value
	mark   bool // a mark beside the bars
	// onFirst marks stand on the first of a group's bars, which they belong to,
	// instead of on all.
	onFirst bool
}

// place is where series s is in group g: the k-th of n, its own kind.
func (b intervalBars) place(s, g int) (k, n int) {
	for i, other := range b.series {
		if other.mark != b.series[s].mark || g < other.from || g >= other.from+len(other.values) {
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
func (b intervalBars) at(g int) float64 {
	if b.upright {
		return float64(g)
	}
	y := float64(len(b.groups) - 1 - g)
	if g < b.apart {
		y += groupsGap
	}
	return y
}

// offset is where the k-th of n bars or marks of a group is, from its middle.
func (b intervalBars) offset(k, n int) float64 {
	d := barShare * ((float64(k)+0.5)/float64(n) - 0.5)
	if b.upright {
		return d
	}
	return -d
}

// addIntervalBars draws the bars in the first panel, and their legend. Rows
// make the figure as high as they need.
func (f *Draft) addIntervalBars(b intervalBars) error {
	p, t := f.panels[0], f.theme
	var bars rects
	var lines whiskers
	var texts labels
	for s, series := range b.series {
		color := b.color(f, s)
		for i, v := range series.values {
			v = stats.Interval{Mean: b.scale * v.Mean, Low: b.scale * v.Low, High: b.scale * v.High}
			g := series.from + i
			k, n := b.place(s, g)
			middle := b.at(g) + b.offset(k, n)
			if series.onFirst {
				_, bars := b.place(0, g)
				middle = b.at(g) + b.offset(0, bars) + b.offset(k, n)/float64(bars)
			}
			w := whisker{at: middle, of: v, upright: b.upright, style: t.line(0.9, ink), cap: t.pt(2)}
			if series.mark {
				w.style.Color, w.cap = color, 0
				w.mark = draw.GlyphStyle{Color: color, Radius: t.pt(2.1), Shape: glyphs[s%len(glyphs)]}
			} else {
				bars = append(bars, b.bar(middle, barShare/float64(n)/2, v.Mean, rect{fill: color, hatch: s%2 == 1}))
			}
			lines = append(lines, w)
			if b.text != nil && !series.mark {
				texts = append(texts, b.label(t, middle, v, b.text(g, s)))
			}
		}
		if len(b.series) > 1 {
			f.addLegend(series.label, b.thumbnail(f, s)...)
		}
	}
	if err := b.names(f); err != nil {
		return err
	}
	p.Add(rulers{style: t.line(0.6, rule), across: b.upright, vertical: !b.upright}, bars, zeroLine{t.line(0.9, faint), b.upright}, lines, texts)
	b.limit(p, lines)
	return nil
}

// bar lays a bar from 0 to v.
func (b intervalBars) bar(middle, half, v float64, r rect) rect {
	if b.upright {
		r.x0, r.x1, r.y1 = middle-half, middle+half, v
	} else {
		r.y0, r.y1, r.x1 = middle-half, middle+half, v
	}
	return r
}

// color is that of a series; bars are paler where marks lie on them.
func (b intervalBars) color(f *Draft, s int) color.NRGBA {
	c := f.options.Palette.series(s)
	if marked := slices.ContainsFunc(b.series, func(s intervalSeries) bool { return s.mark }); marked && !b.series[s].mark {
		return at([]color.NRGBA{white, c}, 0.5)
	}
	return c
}

func (b intervalBars) thumbnail(f *Draft, s int) []plot.Thumbnailer {
	color := b.color(f, s)
	if b.series[s].mark {
		return []plot.Thumbnailer{markThumb{f.theme.line(0.9, color), draw.GlyphStyle{Color: color, Radius: f.theme.pt(2.4), Shape: glyphs[s%len(glyphs)]}}}
	}
	return []plot.Thumbnailer{swatch{fill: color, hatch: s%2 == 1}}
}

// label stands beyond the end of a bar's interval.
func (b intervalBars) label(t theme, middle float64, v stats.Interval, text string) label {
	style := t.style(smallSize, ink)
	end, side := max(v.High, v.Mean, 0), vg.Length(1)
	if v.Mean < 0 {
		end, side = min(v.Low, v.Mean), -1
	}
	if b.upright {
		style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
		if side < 0 {
			style.YAlign = draw.YTop
		}
		return label{middle, end, text, style, vg.Point{Y: side * t.pt(2)}}
	}
	style.XAlign, style.YAlign = draw.XLeft, draw.YCenter
	if side < 0 {
		style.XAlign = draw.XRight
	}
	return label{end, middle, text, style, vg.Point{X: side * t.pt(4), Y: style.Font.Size * 0.08}}
}

// names writes the groups' names along their axis, and makes room for rows.
func (b intervalBars) names(f *Draft) error {
	p, t := f.panels[0], f.theme
	axis, limit := &p.Y, f.nameRoom(b.rows)
	if b.upright {
		axis, limit = &p.X, f.options.Size.Width*0.8/vg.Length(len(b.groups))
	}
	var ticks []plot.Tick
	row := 1.0 // lines of text to a row
	for g, name := range b.groups {
		lines := wrap(axis.Tick.Label, clean(name), limit, max(1, b.rows))
		ticks = append(ticks, plot.Tick{Value: b.at(g), Label: strings.Join(lines, "\n")})
		row = max(row, 0.2+0.7*float64(len(lines)))
		if b.text != nil {
			for s := range b.series {
				_, bars := b.place(s, g)
				row = max(row, 1.1*float64(bars))
			}
		}
	}
	axis.Tick.Marker = plot.ConstantTicks(ticks)
	axis.Tick.Length, axis.Tick.Width, axis.Width = t.pt(4), 0, 0
	axis.Tick.Label.Color = ink
	if b.upright {
		return nil
	}
	return f.growFor(row * (float64(len(b.groups)) + groupsGap))
}

// nameRoom is the width that the names of rows may take: more if they must
// stand in one line.
func (f *Draft) nameRoom(lines int) vg.Length {
	if lines > 1 {
		return f.options.Size.Width * 0.36
	}
	return f.options.Size.Width * 0.42
}

// limit sets the ranges of both axes; that of values has a little more than the intervals.
func (b intervalBars) limit(p *plot.Plot, lines whiskers) {
	groups, values := &p.Y, &p.X
	if b.upright {
		groups, values = &p.X, &p.Y
	}
	groups.Min, groups.Max = b.at(len(b.groups)-1)-0.5, b.at(0)+0.5
	if b.upright {
		groups.Min, groups.Max = -0.5, float64(len(b.groups))-0.5
	}
	groups.Padding = 0
	low, high := 0.0, 0.0
	for _, w := range lines {
		low, high = min(low, w.of.Low, w.of.Mean), max(high, w.of.High, w.of.Mean)
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

// checkIntervals says which of a list of intervals cannot be drawn.
func checkIntervals(name string, intervals ...stats.Interval) error {
	for i, v := range intervals {
		if err := finite(fmt.Sprintf("%s: interval %d", name, i), []float64{v.Mean, v.Low, v.High}); err != nil {
			return err
		}
		if v.Low > v.High {
			return fmt.Errorf("plots: %s: interval %d goes from %v down to %v", name, i, v.Low, v.High)
		}
	}
	return nil
}

// whisker is a line from the low to the high end of an interval, with a mark
// at the mean if it has a shape.
type whisker struct {
	at      float64 // on the groups' axis
	of      stats.Interval
	upright bool
	style   draw.LineStyle
	cap     vg.Length // half the length of the strokes at the ends
	mark    draw.GlyphStyle
}

type whiskers []whisker

// Plot draws lines and marks.
func (ws whiskers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, w := range ws {
		to := func(v float64, aside vg.Length) vg.Point {
			if w.upright {
				return vg.Point{X: x(w.at) + aside, Y: y(v)}
			}
			return vg.Point{X: x(v), Y: y(w.at) + aside}
		}
		if w.of.High > w.of.Low {
			c.StrokeLines(w.style, []vg.Point{to(w.of.Low, 0), to(w.of.High, 0)})
			for _, end := range []float64{w.of.Low, w.of.High} {
				if w.cap > 0 {
					c.StrokeLines(w.style, []vg.Point{to(end, -w.cap), to(end, w.cap)})
				}
			}
		}
		if w.mark.Shape != nil {
			c.DrawGlyphNoClip(w.mark, to(w.of.Mean, 0))
		}
	}
}

// zeroLine is where bars start.
type zeroLine struct {
	style  draw.LineStyle
	across bool
}

// Plot draws the line.
func (z zeroLine) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if z.across {
		c.StrokeLine2(z.style, c.Min.X, y(0), c.Max.X, y(0))
	} else {
		c.StrokeLine2(z.style, x(0), c.Min.Y, x(0), c.Max.Y)
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

// growFor makes the figure as high as so many lines of text and its frame
// need; it stays higher if it is.
func (f *Draft) growFor(lines float64) error {
	need := f.theme.text*vg.Length(1.35*lines) + f.theme.pt(110)
	if need > maxSide {
		return fmt.Errorf("plots: %.0f rows are too many for one figure; draw some of them, or set the text smaller", lines)
	}
	f.options.Size.Height = max(f.options.Size.Height, need)
	return nil
}

// percent writes a share as a change: "+27.4 %".
func percent(v float64) string {
	digits := 1
	if math.Abs(100*v) >= 99.95 {
		digits = 0
	}
	if math.Abs(100*v) < 0.05 {
		return "0.0 %"
	}
	return strings.Replace(fmt.Sprintf("%+.*f %%", digits, 100*v), "-", "−", 1)
}

// percentInterval writes a change with its interval.
func percentInterval(v stats.Interval) string {
	return fmt.Sprintf("%s [%s, %s]", percent(v.Mean), strings.TrimSuffix(percent(v.Low), " %"), strings.TrimSuffix(percent(v.High), " %"))
}
