package landscape

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Group is some of a model's parameters.
type Group struct {
	Name string
	// Tensors are names of tensors, or what their names begin with:
	// "bert.embeddings", "bert.encoder.layer.0".
	Tensors []string
}

// has says whether a tensor is of the group.
func (g *Group) has(tensor string) bool {
	return slices.ContainsFunc(g.Tensors, func(t string) bool { return tensor == t || strings.HasPrefix(tensor, t+".") })
}

// check refuses groups that none of the model's tensors is in.
func (g *Group) check(c transformer.Config) error {
	for _, t := range g.Tensors {
		one := Group{Tensors: []string{t}}
		if !slices.ContainsFunc(tensorsOf(c), one.has) {
			return fmt.Errorf("landscape: group %q: the model has no tensor %s; names are such as bert.embeddings, bert.encoder.layer.0, bert.pooler or classifier", g.Name, t)
		}
	}
	if len(g.Tensors) == 0 {
		return fmt.Errorf("landscape: group %q names no tensor", g.Name)
	}
	return nil
}

// isClassifier says whether a tensor's shape depends on the number of labels.
func isClassifier(tensor string) bool { return strings.HasPrefix(tensor, "classifier.") }

// tensorsOf lists the names of a model's tensors.
func tensorsOf(c transformer.Config) []string {
	var names []string
	for _, x := range c.Expected() {
		names = append(names, x.Name)
	}
	return names
}

// Groups cuts a classifier of so many layers into groups: its embeddings, the
// bottom, middle and top thirds of its layers (each layer by itself where there
// are fewer than three), and the classifier with its pooler.
func Groups(layers int) []Group {
	groups := []Group{{"embeddings", []string{"bert.embeddings"}}}
	names := []string{"bottom layers", "middle layers", "top layers"}
	parts := min(len(names), layers)
	for i := range parts {
		g := Group{Name: names[i]}
		from, to := layers*i/parts, layers*(i+1)/parts
		if layers < len(names) {
			g.Name = fmt.Sprintf("layer %d", i)
		} else if to == from+1 {
			g.Name = fmt.Sprintf("%s (%d)", strings.TrimSuffix(g.Name, "s"), from)
		} else {
			g.Name += fmt.Sprintf(" (%d to %d)", from, to-1)
		}
		for l := from; l < to; l++ {
			g.Tensors = append(g.Tensors, fmt.Sprintf("bert.encoder.layer.%d", l))
		}
		groups = append(groups, g)
	}
	return append(groups, Group{"classifier", []string{"bert.pooler", "classifier"}})
}

// Reset gives one group of theta1's parameters at a time the values of theta0
// again, and measures what becomes of the model. Nil groups stand for [Groups].
// The grid and the group of o are not used.
func Reset(ctx context.Context, theta0, theta1 string, groups []Group, examples []finetune.Example, o Options) (*GroupResets, error) {
	if o.Alphas != nil || o.Betas != nil || o.Group != nil {
		return nil, errors.New("landscape: resetting groups needs no grid and no group among the options")
	}
	s, err := newSpace(ctx, []string{theta0, theta1}, examples, o)
	if err != nil {
		return nil, err
	}
	if groups == nil {
		groups = Groups(s.config.Layers)
	}
	points := []point{{alpha: 0}, {alpha: 1}}
	for i := range groups {
		if err := groups[i].check(s.config); err != nil {
			return nil, err
		}
		points = append(points, point{group: &groups[i]})
	}
	values, err := s.measure(ctx, points)
	if err != nil {
		return nil, err
	}
	r := &GroupResets{Theta0: theta0, Theta1: theta1, Start: values[0], FineTuned: values[1], Sample: s.sample}
	r.Provenance = s.provenance("group resets", o)
	for i := range groups {
		l, err := s.lengths(ctx, &groups[i])
		if err != nil {
			return nil, err
		}
		r.Groups = append(r.Groups, GroupReset{groups[i].Name, values[i+2], l.moved()})
	}
	return r, nil
}

// MustReset is [Reset] for notebook cells: it panics instead of returning an error.
func MustReset(ctx context.Context, theta0, theta1 string, groups []Group, examples []finetune.Example, o Options) *GroupResets {
	return kn.Must(Reset(ctx, theta0, theta1, groups, examples, o))
}
