package kn

import (
	"cmp"
	"fmt"
	"html"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Table is a result to be read: what [Show] shows and fmt.Println prints.
type Table struct {
	Title   string
	Columns []string
	Rows    [][]string
	Notes   []string // below it
}

// Tabler is a result that can be shown as a table.
type Tabler interface{ Table() Table }

// Table returns the table itself.
func (t Table) Table() Table { return t }

// String returns the table as lines of text, the columns below each other.
func (t Table) String() string {
	widths := make([]int, len(t.Columns))
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := []string{t.Title}
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		var b strings.Builder
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("  " + cell + space)
			} else {
				b.WriteString("  " + space + cell)
			}
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return strings.Join(append(lines, t.Notes...), "\n")
}

// HTML returns the table as a fragment of a page, without scripts or styles of
// its own.
func (t Table) HTML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "<p><b>%s</b></p>\n<table>\n<thead><tr>", html.EscapeString(t.Title))
	for i, column := range t.Columns {
		fmt.Fprintf(&b, `<th style="text-align:%s">%s</th>`, side(i), html.EscapeString(column))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		b.WriteString("<tr>")
		for i, cell := range row {
			fmt.Fprintf(&b, `<td style="text-align:%s">%s</td>`, side(i), html.EscapeString(cell))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
	for _, note := range t.Notes {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(note))
	}
	return b.String()
}

// side is where a column's text stands: words left, numbers right.
func side(column int) string {
	if column == 0 {
		return "left"
	}
	return "right"
}

// tableRows is how many tokens or neurons a table has, unless told otherwise.
const tableRows = 10

// Table lists the most probable tokens, as many as were asked for, and the answer
// that was asked about. An answer of several tokens has a row of its own.
func (p Prediction) Table() Table {
	t := Table{Title: p.Prompt, Columns: []string{"token", "id", "rank", "probability"}}
	listed := false
	for i, token := range p.Predictions {
		listed = listed || p.Answer != nil && len(p.Answer.IDs) == 0 && token.ID == p.Answer.ID
		t.Rows = append(t.Rows, []string{token.Token, fmt.Sprint(token.ID), fmt.Sprint(i + 1), significant(token.Probability)})
	}
	if a := p.Answer; a != nil && !listed {
		t.Rows = append(t.Rows, []string{a.Token, fmt.Sprint(a.ID), fmt.Sprint(a.Rank), significant(a.Probability)})
	}
	return t
}

// String returns [Prediction.Table] as text.
func (p Prediction) String() string { return p.Table().String() }

// Table lists the ten neurons with the largest scores, and says how far the
// integrals can be trusted.
func (a Attribution) Table() Table { return a.TableOf(tableRows) }

// TableOf is [Attribution.Table] with n neurons.
func (a Attribution) TableOf(n int) Table {
	t := Table{Title: fmt.Sprintf("P(%s) = %s: %s", a.Answer, significant(a.Probability), a.Prompt), Columns: []string{"neuron"}}
	scored := a.Rule != ActivationBaseline
	parts := scored && a.Target == TargetProbability && a.Probability > 0 // else a score is no share of the probability
	if scored {
		t.Columns = append(t.Columns, "score")
	}
	if parts {
		t.Columns = append(t.Columns, "of the probability")
	}
	t.Columns = append(t.Columns, "activation")
	for _, n := range a.Top(n) {
		score, row := a.Scores[n.Layer][n.Index], []string{n.String()}
		if scored {
			row = append(row, significant(score))
		}
		if parts {
			row = append(row, share(score/a.Probability))
		}
		t.Rows = append(t.Rows, append(row, significant(a.Activations[n.Layer][n.Index])))
	}
	if scored && a.Target != TargetProbability {
		t.Notes = append(t.Notes, fmt.Sprintf("scores are of %s, in %s", a.Target.name(a.Answer, ""), a.Unit()))
	}
	if parts && len(a.Scores) > 1 {
		t.Notes = append(t.Notes, "each layer's scores add up to what its neurons give of the probability, so those of several layers can exceed it")
	}
	nodes, completeness := 0, 0.0
	for _, n := range a.Nodes {
		nodes += n
	}
	for _, e := range a.CompletenessError {
		completeness = max(completeness, math.Abs(e))
	}
	if len(a.Nodes) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%s rule, %.1f nodes a layer, completeness error up to %s", a.Rule, float64(nodes)/float64(len(a.Nodes)), significant(completeness)))
	}
	if len(a.EstimatedError) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("scores are off by an estimated %s at most", significant(slices.Max(a.EstimatedError))))
	}
	if len(a.NotConverged) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("not converged in layers %v: allow more nodes, or do not rely on their scores", a.NotConverged))
	}
	return t
}

// String returns [Attribution.Table] as text.
func (a Attribution) String() string { return a.Table().String() }

// Table lists the neurons that were kept, those with the largest mean score
// over all prompts first, and in how many prompts each is strong.
func (k KnowledgeNeurons) Table() Table {
	t := Table{
		Title:   fmt.Sprintf("%s of %s, from %s", counted(len(k.Refined), "knowledge neuron"), k.Answer, counted(len(k.Prompts), "prompt")),
		Columns: []string{"neuron", "strong in prompts"},
	}
	if len(k.Scores) > 0 {
		t.Columns = append(t.Columns, "mean score")
	}
	type kept struct {
		neuron Neuron
		in     int // prompts
		mean   float64
	}
	all := make([]kept, len(k.Refined))
	for i, n := range k.Refined {
		all[i].neuron = n
		for _, coarse := range k.Coarse {
			if slices.Contains(coarse, n) {
				all[i].in++
			}
		}
		for _, scores := range k.Scores {
			all[i].mean += scores[i] / float64(len(k.Scores))
		}
	}
	slices.SortStableFunc(all, func(a, b kept) int { return cmp.Or(cmp.Compare(b.mean, a.mean), cmp.Compare(b.in, a.in)) })
	for _, n := range all {
		row := []string{n.neuron.String(), fmt.Sprintf("%d of %d", n.in, len(k.Coarse))}
		if len(k.Scores) > 0 {
			row = append(row, significant(n.mean))
		}
		t.Rows = append(t.Rows, row)
	}
	sizes := make([]string, len(k.Coarse))
	for i, coarse := range k.Coarse {
		sizes[i] = fmt.Sprint(len(coarse))
	}
	t.Notes = append(t.Notes, "strong neurons in each prompt: "+strings.Join(sizes, ", "))
	if len(k.NotConverged) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("not converged: prompts %v, counted from 0", k.NotConverged))
	}
	return t
}

// String returns [KnowledgeNeurons.Table] as text.
func (k KnowledgeNeurons) String() string { return k.Table().String() }

// Table lists the answer's probability at each factor, beside that with the
// controls.
func (c FactorCurves) Table() Table {
	t := Table{
		Title:   fmt.Sprintf("P(%s) with neurons multiplied by a factor, mean of %s; unmodified %s", c.Answer, counted(len(c.Prompts), "prompt"), significant(c.Probability)),
		Columns: []string{"factor"},
	}
	var curves []Curve
	for _, curve := range []Curve{c.Own, c.Random, c.Matched} {
		if len(curve.Factors) > 0 {
			curves = append(curves, curve)
			t.Columns = append(t.Columns, fmt.Sprintf("%s (%d)", cmp.Or(curve.Label, "neurons"), len(curve.Neurons)))
		}
	}
	for _, factor := range c.Own.Factors {
		row := []string{fmt.Sprintf("× %.4g", factor)}
		for _, curve := range curves {
			cell := ""
			if i := slices.Index(curve.Factors, factor); i >= 0 {
				cell = significant(curve.Probability[i])
				if c.Probability > 0 {
					cell += fmt.Sprintf(" (%s)", signedShare(curve.Probability[i]/c.Probability-1))
				}
			}
			row = append(row, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// String returns [FactorCurves.Table] as text.
func (c FactorCurves) String() string { return c.Table().String() }

// Table lists the prompts in the order of the neurons' activation.
func (s ActivationScatter) Table() Table {
	t := Table{
		Title:   fmt.Sprintf("Activation of %d neurons and probability of the answer: correlation %.2f over %d prompts", len(s.Neurons), s.Pearson, len(s.Points)),
		Columns: []string{"prompt", "group", "answer", "activation", "probability"},
	}
	points := slices.SortedStableFunc(slices.Values(s.Points), func(a, b ScatterPoint) int { return cmp.Compare(b.Activation, a.Activation) })
	for _, p := range points {
		t.Rows = append(t.Rows, []string{p.Prompt, p.Group, p.Answer, significant(p.Activation), significant(p.Probability)})
	}
	return t
}

// String returns [ActivationScatter.Table] as text.
func (s ActivationScatter) String() string { return s.Table().String() }

// Effect is the table of what an edit did to a prompt's prediction: the most
// probable tokens before and after it. A token that one of the two does not
// list has its bound there, which is the probability of the last that it does.
func Effect(before, after *Prediction) Table {
	t := Table{Title: before.Prompt, Columns: []string{"token at [MASK]", "before", "after"}}
	if after.Prompt != before.Prompt {
		t.Title += " and " + after.Prompt
	}
	seen := map[string]bool{}
	add := func(token string) {
		if !seen[token] {
			seen[token] = true
			t.Rows = append(t.Rows, []string{token, before.of(token), after.of(token)})
		}
	}
	for _, p := range []*Prediction{before, after} {
		if p.Answer != nil {
			add(p.Answer.Token)
		}
		for _, token := range p.Predictions[:min(tableRows/2, len(p.Predictions))] {
			add(token.Token)
		}
	}
	return t
}

// of returns a token's probability as text, or its bound.
func (p *Prediction) of(token string) string {
	if p.Answer != nil && p.Answer.Token == token {
		return significant(p.Answer.Probability)
	}
	for _, t := range p.Predictions {
		if t.Token == token {
			return significant(t.Probability)
		}
	}
	if len(p.Predictions) == 0 {
		return ""
	}
	return "below " + significant(p.Predictions[len(p.Predictions)-1].Probability)
}

// significant writes a number so that it can be compared with those above and
// below it.
func significant(x float64) string {
	switch a := math.Abs(x); {
	case a == 0:
		return "0"
	case a < 1e-4:
		return strconv.FormatFloat(x, 'g', 2, 64)
	case a < 0.1:
		return fmt.Sprintf("%#.2g", x) // with its last zeros
	case a < 100:
		return fmt.Sprintf("%.3f", x)
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

func share(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) }

// signedShare writes a change: "+1.2 %", or "0.0 %" where there is as good as none.
func signedShare(x float64) string {
	if math.Abs(100*x) < 0.05 {
		return "0.0 %"
	}
	return fmt.Sprintf("%+.1f %%", 100*x)
}

// counted writes a count with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
