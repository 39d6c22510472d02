package landscape

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// space is the line or plane through some checkpoints, and what models of it are
// evaluated on. No weights are read before they are needed.
type space struct {
	names    []string // of θ0, θ1 and perhaps θ2
	folders  []*checkpoint.Folder
	digests  []string
	config   transformer.Config // θ0's, and that of all models evaluated
	foreign  bool               // θ2 has another number of labels, so that its classifier takes no part
	encoded  []finetune.Encoded
	data     string // digest of the examples
	sample   Sample
	store    cache.Cache
	progress kn.Progress
	loaded   map[string]*checkpoint.Checkpoint // weights to compute lengths of, by digest; nil: not kept
}

// batchSize is the number of examples that are evaluated together: that of
// [finetune.Classifier.Evaluate], so that sums round alike.
const batchSize = 32

// newSpace opens the checkpoints and makes sure that they fit each other and the
// examples.
func newSpace(ctx context.Context, names []string, examples []finetune.Example, o Options) (*space, error) {
	s, err := openSpace(ctx, names, o)
	if err != nil {
		return nil, err
	}
	if len(examples) == 0 {
		return nil, errors.New("landscape: there is no example to evaluate on")
	}
	labels := s.folders[1].Config().LabelNames()
	for i, x := range examples {
		if x.Label < 0 || x.Label >= len(labels) {
			return nil, fmt.Errorf("landscape: example %d, %.60q, has label %d; %s has %d labels, numbered from 0: %q", i, x.Sentence1, x.Label, names[1], len(labels), labels)
		}
	}
	s.sample.Examples = len(examples)
	if err := s.encode(examples); err != nil {
		return nil, err
	}
	s.data, err = cache.Key("landscape examples", examples)
	return s, err
}

// openSpace opens the checkpoints alone: those that span the space, and perhaps
// others that are to be projected onto it.
func openSpace(ctx context.Context, names []string, o Options, others ...string) (*space, error) {
	if o.Progress == nil {
		o.Progress = notebook.Step()
	}
	s := &space{names: append(names[:len(names):len(names)], others...), progress: o.Progress}
	switch {
	case o.NoCache:
	case o.Cells != "":
		s.store = cache.At(o.Cells)
	default:
		s.store = cache.Default()
	}
	for i, name := range s.names {
		folder, err := kn.OpenCheckpoint(name, kn.WithContext(ctx), kn.WithProgress(o.Progress))
		if err != nil {
			return nil, err
		}
		c := folder.Config()
		if !c.Classifies() {
			return nil, fmt.Errorf("landscape: %s is no classifier but %q; the start of a fine-tuning is its checkpoint of step 0, see finetune.Config", name, c.Architectures)
		}
		digest, err := folder.Digest()
		if err != nil {
			return nil, err
		}
		s.folders, s.digests = append(s.folders, folder), append(s.digests, digest)
		start := s.folders[0].Config()
		if i == 2 && i < len(names) && len(c.Labels) != len(start.Labels) {
			s.foreign, c.Labels = true, start.Labels
		}
		if err := transformer.SameShapes(start, c); err != nil {
			return nil, fmt.Errorf("landscape: there is no line from %s to %s: %w; take checkpoints that were fine-tuned from one model, for equally many labels", names[0], name, err)
		}
	}
	s.config = s.folders[0].Config()
	if o.Group != nil {
		return s, o.Group.check(s.config)
	}
	return s, nil
}

// encode spells the examples, and makes sure that all models read the same tokens.
func (s *space) encode(examples []finetune.Example) error {
	longest := s.config.MaxPositions
	s.encoded, s.sample.Unknown = finetune.Encode(s.folders[0].Tokenizer(), examples, longest)
	for k, folder := range s.folders[1:] {
		encoded, _ := finetune.Encode(folder.Tokenizer(), examples, longest)
		for i, e := range encoded {
			if !slices.Equal(e.IDs, s.encoded[i].IDs) {
				return fmt.Errorf("landscape: the tokenizers of %s and %s read %q differently; take checkpoints of one model", s.names[0], s.names[k+1], examples[i].Sentence1)
			}
		}
	}
	whole, _ := finetune.Encode(s.folders[0].Tokenizer(), examples, 0)
	for i, e := range s.encoded {
		if len(whole[i].IDs) > len(e.IDs) {
			s.sample.Cut++
		}
	}
	return nil
}

// provenance says where results come from.
func (s *space) provenance(what string, o Options) kn.Provenance {
	options := map[string]any{"measure": what, "digests": strings.Join(s.digests, ", "), "examples": s.data}
	if o.Group != nil {
		options["group"] = strings.Join(o.Group.Tensors, ", ")
	}
	return kn.Provenance{Model: strings.Join(s.names, ", "), Digest: s.digests[0], Version: kn.Version, Options: options}
}

// plane says where the models lie.
func (s *space) plane(ctx context.Context, group *Group) (Plane, error) {
	p := Plane{Theta0: s.names[0], Theta1: s.names[1]}
	if group != nil {
		p.Group = group.Name
	}
	l, err := s.lengths(ctx, group)
	if err != nil {
		return p, err
	}
	p.Norm1 = l.norm(0)
	if len(s.names) > 2 {
		p.Theta2, p.Norm2, p.Cosine, p.EncoderOnly = s.names[2], l.norm(1), l.cosine(), s.foreign
	}
	return p, nil
}
