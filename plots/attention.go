package plots

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	imgdraw "image/draw"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Attention are the attention weights of one text, of L layers with A heads
// each, over n tokens.
type Attention struct {
	Tokens []string // [n], as the model reads them
	// Weights[l][a][i][j] is how much of token j head a of layer l takes for
	// token i. Each row sums to 1: what softmax(QKᵀ/√d) gives.
	Weights    [][][][]float64 // [L][A][n][n]
	Provenance kn.Provenance
}

// AttentionHeads draws the attention weights of all heads as small heat maps:
// layers from the bottom up, heads from left to right. In each map rows are the
// tokens that attend, from the top, and columns those that they attend to; its
// colours go from 0 to the largest weight of all.
func AttentionHeads(a *Attention, options ...Options) (*Figure, error) {
	if err := checkAttention(a); err != nil {
		return nil, err
	}
	layers, heads, n := len(a.Weights), len(a.Weights[0]), len(a.Tokens)
	f, err := chart.New("attention heads", "Attention of all heads", options, a.Provenance)
	if err != nil {
		return nil, err
	}
	f.Options.Size.Height = min(max(f.Options.Size.Height, f.Options.Size.Text*9+f.Options.Size.Width*0.78*vg.Length(layers)/vg.Length(heads)), chart.MaxSide) // square maps
	f.Subtitle = []string{textOf(a.Tokens), fmt.Sprintf("In each map: rows are the %s, from the first down, columns what they attend to", chart.Plural(n, "token"))}
	m := &headMaps{weights: a.Weights, largest: 1e-9}
	for l := range a.Weights {
		for _, head := range a.Weights[l] {
			for _, row := range head {
				m.largest = max(m.largest, slices.Max(row))
			}
		}
	}
	bar := chart.ColorBar{Label: "Attention weight", Scale: f.Options.Palette.Sequential, High: m.largest}
	m.paint, m.frame = bar.Color, f.Theme.Line(0.5, chart.Gray)
	p := f.Panel("Head", "Layer (0 is next to the embeddings)")
	p.Add(m)
	f.BareAxes(chart.Indices(heads, 24, 0), chart.Indices(layers, 24, 0))
	p.X.Tick.Length = f.Theme.Pt(2)
	p.X.Padding, p.Y.Padding = 0, 0
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(heads)-0.5, -0.5, float64(layers)-0.5
	f.AddColorBar(bar)
	f.Description = describeHeads(a)
	return f.Figure(), nil
}

// MustAttentionHeads is [AttentionHeads] for notebook cells: it panics instead of returning an error.
func MustAttentionHeads(a *Attention, options ...Options) *Figure {
	return kn.Must(AttentionHeads(a, options...))
}

func checkAttention(a *Attention) error {
	switch {
	case a == nil:
		return chart.Missing("attention")
	case len(a.Tokens) == 0:
		return errors.New("plots: the attention has no tokens")
	case len(a.Weights) == 0 || len(a.Weights[0]) == 0:
		return errors.New("plots: the attention has no layers or no heads")
	}
	for l, layer := range a.Weights {
		if err := chart.CheckLength(fmt.Sprintf("Weights[%d]", l), len(layer), "Weights[0]", len(a.Weights[0])); err != nil {
			return err
		}
		for h, head := range layer {
			name := fmt.Sprintf("Weights[%d][%d]", l, h)
			if err := chart.CheckLength(name, len(head), "Tokens", len(a.Tokens)); err != nil {
				return err
			}
			for i, row := range head {
				if err := chart.CheckLength(fmt.Sprintf("%s[%d]", name, i), len(row), "Tokens", len(a.Tokens)); err != nil {
					return err
				}
				if err := chart.CheckProbabilities(fmt.Sprintf("%s[%d]", name, i), row); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// textOf is a text of tokens, on one line.
func textOf(tokens []string) string {
	text := ""
	for _, t := range tokens {
		text += " " + t
	}
	return chart.Clean(text)
}

// headMaps plots the maps as one image, with chart.White between them.
type headMaps struct {
	weights [][][][]float64
	largest float64
	paint   func(float64) color.NRGBA
	frame   draw.LineStyle
}

// headShare is the share of its place that a map takes.
const headShare = 0.92

// Plot draws the maps, layer 0 at the bottom, each in a frame.
func (m *headMaps) Plot(c draw.Canvas, p *plot.Plot) {
	layers, heads, n := len(m.weights), len(m.weights[0]), len(m.weights[0][0])
	// What shows the image may blur its pixels, so that a weight takes many.
	k := max(1, min(8, 2400/(n*max(layers, heads))))
	gap := max(1, int(math.Round(float64(n*k)*(1/headShare-1))))
	side := n*k + gap
	img := image.NewNRGBA(image.Rect(0, 0, heads*side, layers*side))
	imgdraw.Draw(img, img.Bounds(), image.NewUniform(chart.White), image.Point{}, imgdraw.Src)
	x, y := p.Transforms(&c)
	for l, layer := range m.weights {
		for h, head := range layer {
			left, top := h*side+gap/2, (layers-1-l)*side+gap/2
			for i, row := range head {
				for j, w := range row {
					cell := image.Rect(0, 0, k, k).Add(image.Pt(left+j*k, top+i*k))
					imgdraw.Draw(img, cell, image.NewUniform(m.paint(w)), image.Point{}, imgdraw.Src)
				}
			}
		}
	}
	c.DrawImage(c.Rectangle, img)
	for l := range layers {
		for h := range heads {
			c.StrokeLines(m.frame, chart.Corners(m.box(x, y, l, h, float64(gap)/float64(side), float64(gap/2)/float64(side))))
		}
	}
}

// box is where the map of a head is: gap is the share of its place that it
// leaves, before the part of it at the left and at the top.
func (m *headMaps) box(x, y func(float64) vg.Length, l, h int, gap, before float64) vg.Rectangle {
	left, top := float64(h)-0.5+before, float64(l)+0.5-before
	return vg.Rectangle{Min: vg.Point{X: x(left), Y: y(top - 1 + gap)}, Max: vg.Point{X: x(left + 1 - gap), Y: y(top)}}
}

func describeHeads(a *Attention) string {
	parts := []string{
		fmt.Sprintf("Attention weights of %d layers with %s each over %s", len(a.Weights), chart.Plural(len(a.Weights[0]), "head"), chart.Plural(len(a.Tokens), "token")),
		"Text: " + textOf(a.Tokens),
	}
	for l, layer := range a.Weights {
		best, at := -1.0, 0
		for h, head := range layer {
			if w := furthest(head); w > best {
				best, at = w, h
			}
		}
		parts = append(parts, fmt.Sprintf("Layer %d: head %d attends most to other tokens than the first, the last and the token itself, %s of its weight", l, at, chart.Short(best)))
	}
	return chart.Sentences(parts...)
}

// furthest is the mean weight of other tokens than the text's first and last,
// which stand for nothing, and the attending one itself.
func furthest(head [][]float64) float64 {
	sum := 0.0
	for i, row := range head {
		for j, w := range row {
			if j != 0 && j != len(row)-1 && j != i {
				sum += w / float64(len(head))
			}
		}
	}
	return sum
}

// AttentionArcs draws what the tokens of a text attend to in one head: an arc
// from each token to each that it gives a weight of 0.05 or more, above the text
// to later ones and below it to earlier ones, wide and dark by the weight.
// The dot at a token is its weight on itself. Arcs of the mask token have another
// colour.
func AttentionArcs(a *Attention, layer, head int, options ...Options) (*Figure, error) {
	if err := checkAttention(a); err != nil {
		return nil, err
	}
	if layer < 0 || layer >= len(a.Weights) || head < 0 || head >= len(a.Weights[0]) {
		return nil, fmt.Errorf("plots: there is no head %d in layer %d: layers are 0 to %d, heads 0 to %d", head, layer, len(a.Weights)-1, len(a.Weights[0])-1)
	}
	f, err := chart.New("attention arcs", fmt.Sprintf("Attention in layer %d, head %d", layer, head), options, a.Provenance)
	if err != nil {
		return nil, err
	}
	if n := len(a.Tokens); vg.Length(n)*f.Options.Size.Text*1.1 > f.Options.Size.Width {
		return nil, fmt.Errorf("plots: %d tokens have no room beside each other; make the figure wider, or its text smaller", n)
	}
	f.Subtitle = []string{textOf(a.Tokens)}
	arcs := &arcsOf{tokens: a.Tokens, weights: a.Weights[layer][head], figure: f}
	p := f.Panel("", "")
	p.HideAxes()
	p.Add(arcs)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(a.Tokens))-0.5, -1, 1
	p.X.Padding, p.Y.Padding = 0, 0
	f.AddLegend("above: to a later token; below: to an earlier one; dot: to itself; from 0.05 on", arcThumb{f.Color(0)})
	if slices.ContainsFunc(a.Tokens, isMask) {
		f.AddLegend("from the mask", arcThumb{f.Color(1)})
	}
	f.Description = describeArcs(a, layer, head)
	return f.Figure(), nil
}

// MustAttentionArcs is [AttentionArcs] for notebook cells: it panics instead of returning an error.
func MustAttentionArcs(a *Attention, layer, head int, options ...Options) *Figure {
	return kn.Must(AttentionArcs(a, layer, head, options...))
}

// leastArc is the weight from which on an arc is drawn.
const leastArc = 0.05

func isMask(token string) bool { return token == "[MASK]" || token == "<mask>" }

// arcsOf plots one head's arcs.
type arcsOf struct {
	tokens  []string
	weights [][]float64
	figure  *chart.Draft
}

// Plot draws the tokens in the middle and the arcs above and below, weak ones first.
func (a *arcsOf) Plot(c draw.Canvas, p *plot.Plot) {
	t, n := a.figure.Theme, len(a.tokens)
	x, _ := p.Transforms(&c)
	style := t.Style(chart.SmallSize, chart.Ink)
	style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
	place := (c.Max.X - c.Min.X) / vg.Length(n)
	half := style.Font.Size * 0.75 // of the room that the text takes
	for _, token := range a.tokens {
		if chart.Width(style, token) > place*0.94 {
			style.Rotation = math.Pi / 2
		}
	}
	if style.Rotation != 0 {
		upright := style
		upright.Rotation = 0
		half = 0
		for _, token := range a.tokens {
			half = max(half, min(chart.Width(upright, chart.Clean(token))/2+t.Pt(3), (c.Max.Y-c.Min.Y)*0.2))
		}
	}
	middle := (c.Min.Y + c.Max.Y) / 2
	type arc struct {
		from, to int
		w        float64
	}
	var arcs []arc
	longest := 1
	for i, row := range a.weights {
		for j, w := range row {
			if w >= leastArc {
				arcs = append(arcs, arc{i, j, w})
				longest = max(longest, j-i, i-j)
			}
		}
	}
	slices.SortStableFunc(arcs, func(a, b arc) int { return int(math.Copysign(1, a.w-b.w)) })
	room := (c.Max.Y-c.Min.Y)/2 - half - t.Pt(6)
	for _, r := range arcs {
		fill := chart.Wash(a.color(r.from), 0.25+0.7*math.Min(1, r.w))
		side := vg.Length(1)
		if r.to < r.from {
			side = -1
		}
		if r.to == r.from {
			q := vg.Point{X: x(float64(r.from)), Y: middle + half + t.Pt(2)}
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: fill, Radius: t.Pt(1 + 3*math.Sqrt(r.w)), Shape: draw.CircleGlyph{}}, q)
			continue
		}
		start := vg.Point{X: x(float64(r.from)), Y: middle + side*half}
		end := vg.Point{X: x(float64(r.to)), Y: middle + side*half}
		span := vg.Length(math.Abs(float64(r.to - r.from)))
		high := side * room * (0.25 + 0.75*span/vg.Length(longest)) * 4 / 3 // a cubic rises to three quarters of its handles
		var path vg.Path
		path.Move(start)
		path.CubeTo(vg.Point{X: start.X, Y: start.Y + high}, vg.Point{X: end.X, Y: end.Y + high}, end)
		c.SetLineStyle(draw.LineStyle{Color: fill, Width: t.Pt(0.6 + 3.4*r.w)})
		c.Stroke(path)
		tip := t.Pt(2.2 + 2.2*r.w)
		c.FillPolygon(fill, []vg.Point{end, {X: end.X - tip*0.6, Y: end.Y + side*tip}, {X: end.X + tip*0.6, Y: end.Y + side*tip}})
	}
	for i, token := range a.tokens {
		named := style
		if isMask(token) {
			named.Color = a.color(i)
			named.Font.Weight = t.Bold(chart.SmallSize, chart.Ink).Font.Weight
		}
		upright := named
		upright.Rotation = 0
		limit := place
		if style.Rotation != 0 {
			limit = 2 * half
		}
		c.FillText(named, vg.Point{X: x(float64(i)), Y: middle}, chart.Fit(upright, chart.Clean(token), limit))
	}
}

func (a *arcsOf) color(from int) color.NRGBA {
	if isMask(a.tokens[from]) {
		return a.figure.Color(1)
	}
	return a.figure.Color(0)
}

// arcThumb is a thumbnail for arcs.
type arcThumb struct{ color color.NRGBA }

// Thumbnail draws an arc.
func (t arcThumb) Thumbnail(c *draw.Canvas) {
	inset := (c.Max.X - c.Min.X) * 0.15
	left, right, high := c.Min.X+inset, c.Max.X-inset, (c.Max.Y-c.Min.Y)*1.2
	var path vg.Path
	path.Move(vg.Point{X: left, Y: c.Min.Y})
	path.CubeTo(vg.Point{X: left, Y: c.Min.Y + high}, vg.Point{X: right, Y: c.Min.Y + high}, vg.Point{X: right, Y: c.Min.Y})
	c.SetLineStyle(draw.LineStyle{Color: t.color, Width: (c.Max.Y - c.Min.Y) * 0.22})
	c.Stroke(path)
}

func describeArcs(a *Attention, layer, head int) string {
	parts := []string{fmt.Sprintf("Attention weights of layer %d, head %d", layer, head), "Text: " + textOf(a.Tokens)}
	for i, row := range a.Weights[layer][head] {
		j := 0
		for k, w := range row {
			if w > row[j] {
				j = k
			}
		}
		parts = append(parts, fmt.Sprintf("%s attends most to %s, %s", chart.Quoted(a.Tokens[i]), chart.Quoted(a.Tokens[j]), chart.Short(row[j])))
	}
	return chart.Sentences(parts...)
}

// AttentionOf is the attention of all layers in states, which must have been read
// of every layer: model.MustRead(text, model.Sites(transformer.AttentionProbs)...). What
// is missing is an error of the charts.
func AttentionOf(s *kn.States) *Attention {
	a := &Attention{Tokens: s.Tokens, Provenance: s.Provenance}
	for l := 0; ; l++ {
		weights := s.Attention(l)
		if weights == nil {
			return a
		}
		a.Weights = append(a.Weights, weights)
	}
}
