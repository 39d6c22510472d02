package checkpoint

import (
	"fmt"
	"slices"
	"strings"
)

// Found is a tensor of a file.
type Found struct {
	Name  string
	Shape []int
}

// WeightsError lists every tensor that is not as the configuration asks.
type WeightsError struct {
	Class      string // of transformers: BertForMaskedLM, RobertaForMaskedLM, ...
	Missing    []Expected
	Unexpected []Found
	Misshapen  []Mismatch

	headless bool   // what is missing is the head that predicts tokens
	predicts string // what the head does
}

// Mismatch is a tensor with another shape than the configuration asks for.
type Mismatch struct {
	Name         string
	Found, Asked []int
}

// shownTensors of each kind are named in a message; more of them help nobody.
const shownTensors = 3

// Error names the first of them.
func (e *WeightsError) Error() string {
	var parts []string
	list := func(what string, n int, item func(i int) string) {
		if n == 0 {
			return
		}
		items := make([]string, min(n, shownTensors))
		for i := range items {
			items[i] = item(i)
		}
		if n > shownTensors {
			items = append(items, "...")
		}
		parts = append(parts, fmt.Sprintf("%s (%d): %s", what, n, strings.Join(items, ", ")))
	}
	list("missing", len(e.Missing), func(i int) string { return fmt.Sprintf("%s %v", e.Missing[i].Name, e.Missing[i].Shape) })
	list("unexpected", len(e.Unexpected), func(i int) string { return fmt.Sprintf("%s %v", e.Unexpected[i].Name, e.Unexpected[i].Shape) })
	list("wrong shape", len(e.Misshapen), func(i int) string {
		m := e.Misshapen[i]
		return fmt.Sprintf("%s is %v, config.json asks for %v", m.Name, m.Found, m.Asked)
	})
	return "the weights are not those of the " + e.Class + " in config.json: " + strings.Join(parts, "; ") + e.hint()
}

// hint says what is probably wrong.
func (e *WeightsError) hint() string {
	onlyMissing := func(prefix string) bool {
		other := func(x Expected) bool { return !strings.HasPrefix(x.Name, prefix) }
		return len(e.Missing) > 0 && !slices.ContainsFunc(e.Missing, other)
	}
	switch {
	case e.headless && e.Class == MaskedLM:
		return "; the head that predicts [MASK] is not stored: choose a checkpoint of BertForMaskedLM or BertForPreTraining"
	case e.headless:
		return "; the head that predicts " + e.predicts + " is not stored: choose a checkpoint of " + e.Class
	case onlyMissing(classifier + "."):
		return "; the classifier is not stored: fine-tune the model to get one"
	case len(e.Misshapen) > 0:
		return "; take config.json and weights from the same model"
	}
	return "; choose a checkpoint of " + e.Class
}

// accounted are the stored tensors of a model, each in its place.
type accounted struct {
	names  []string // canonical, in the order of Config.Expected
	stored []stored
	// copies are tensors that must equal another: the decoder of a tied model
	// and the second name of the head's bias.
	copies []copyOf
}

type copyOf struct {
	stored stored
	of     string // canonical name
	why    string
}

// unwrapped takes off what wrappers put in front of all names: "module."
// (torch.nn.DataParallel), "_orig_mod." (torch.compile), the name of a field
// that held the model. It is known by the word embeddings, which every
// model of a family has by one name, and it must stand before all others.
func unwrapped(tensors []stored, wordEmbeddings string) []stored {
	prefix := ""
	for _, s := range tensors {
		if before, ok := strings.CutSuffix(s.name, wordEmbeddings); ok {
			prefix = before
		}
	}
	if prefix == "" || !strings.HasSuffix(prefix, ".") || slices.ContainsFunc(tensors, func(s stored) bool { return !strings.HasPrefix(s.name, prefix) }) {
		return tensors
	}
	tensors = slices.Clone(tensors)
	for i := range tensors {
		tensors[i].name = strings.TrimPrefix(tensors[i].name, prefix)
	}
	return tensors
}

// account puts every stored tensor in its place, and fails with a
// [*WeightsError] unless none is missing, left over or misshapen.
func account(c Config, tensors []stored) (accounted, error) {
	extras := c.family().extras
	if c.Classifies() {
		extras = slices.DeleteFunc(slices.Clone(extras), func(x string) bool { return strings.HasPrefix(x, pooler) })
	}
	return accountFor(c, c.Expected(), extras, tensors)
}

// accountFor is account for some of a model's tensors; extras may be there too.
func accountFor(c Config, want []Expected, extras []string, tensors []stored) (accounted, error) {
	var a accounted
	f := c.family()
	byName := map[string]stored{} // by the name that the family stores it under today
	for _, s := range unwrapped(tensors, f.stored(c.WordEmbeddings())) {
		name := f.today(s.name)
		if before, ok := byName[name]; ok && !before.sameAs(s) {
			return a, fmt.Errorf("tensor %s is stored twice, as %s in %s and as %s in %s; remove one of them", name, before.name, before.file, s.name, s.file)
		}
		byName[name] = s
	}
	a.takeCopies(c, byName)
	wrong := WeightsError{Class: c.class(), predicts: f.predicts()}
	headless := true
	seen := map[string]bool{} // several may be stored as one
	for _, e := range want {
		slot := f.slot(e)
		s, ok := byName[slot.name]
		switch first := !seen[slot.name]; {
		case !ok && first:
			wrong.Missing = append(wrong.Missing, Expected{slot.name, slot.shape})
			headless = headless && isHead(e.Name)
		case ok && !slices.Equal(s.shape, slot.shape):
			if first {
				wrong.Misshapen = append(wrong.Misshapen, Mismatch{slot.name, s.shape, slot.shape})
			}
		case ok && !s.dtype.float():
			return a, fmt.Errorf("%s: tensor %s holds %s; weights must be F32, F16, BF16 or F64", s.file, s.name, s.dtype)
		case ok:
			s = slot.in(s, e)
		}
		seen[slot.name] = true
		a.names, a.stored = append(a.names, e.Name), append(a.stored, s)
	}
	for name := range seen {
		delete(byName, name)
	}
	wrong.headless = headless && len(wrong.Missing) > 0
	for name, s := range byName {
		if !isExtra(name, extras) {
			wrong.Unexpected = append(wrong.Unexpected, Found{s.name, s.shape})
		}
	}
	slices.SortFunc(wrong.Unexpected, func(a, b Found) int { return strings.Compare(a.Name, b.Name) })
	a.copies = slices.DeleteFunc(a.copies, func(c copyOf) bool { return !slices.Contains(a.names, c.of) })
	for _, c := range a.copies {
		if asked := a.stored[slices.Index(a.names, c.of)].shape; !slices.Equal(c.stored.shape, asked) {
			wrong.Misshapen = append(wrong.Misshapen, Mismatch{c.stored.name, c.stored.shape, asked})
		}
	}
	if len(wrong.Missing)+len(wrong.Unexpected)+len(wrong.Misshapen) > 0 {
		return a, &wrong
	}
	return a, nil
}

// takeCopies moves second names out of the way. byName has stored names.
func (a *accounted) takeCopies(c Config, byName map[string]stored) {
	f := c.family()
	take := func(name, of, why string) {
		s, ok := byName[name]
		if !ok {
			return
		}
		delete(byName, name)
		original, ok := byName[f.stored(of)]
		switch {
		case !ok:
			byName[f.stored(of)] = s
		case !original.sameAs(s):
			a.copies = append(a.copies, copyOf{s, of, why})
		}
	}
	if own, ok := byName[f.biasTwin]; ok && !c.TieWordEmbeddings {
		// The bias that is added is the decoder's. transformers 4 stores it twice,
		// version 5 beside another one that nothing reads.
		delete(byName, f.biasTwin)
		byName[f.stored(headBias)] = own
	}
	take(f.biasTwin, headBias, "config.json ties the decoder, and they are one and the same then")
	if c.TieWordEmbeddings {
		take(f.stored(c.outputWeight()), c.WordEmbeddings(), "config.json ties them; set tie_word_embeddings to false if it is an untied model")
	}
}
