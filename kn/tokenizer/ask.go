package tokenizer

import "fmt"

// Order says in which order a masked language model predicts an answer of
// several tokens. A causal one predicts each after those before it.
type Order string

// The orders. With one token they are the same.
const (
	// AllAtOnce writes as many [MASK]s as the answer has tokens, and takes the
	// product of the tokens' probabilities there. No token helps to guess
	// another: each must be known from the prompt.
	AllAtOnce Order = "all at once"
	// LeftToRight runs the model for each token, with those before it in place of
	// their [MASK]s: the chain rule. What follows "Buenos" is then mostly a matter
	// of spelling.
	LeftToRight Order = "left to right"
)

// AskOptions say how [Tokenizer.Ask] arranges a question.
type AskOptions struct {
	// Causal models read what is before the answer, and no more.
	Causal bool
	// Order of a masked model's predictions; "" stands for [AllAtOnce].
	Order Order
	// MaxLength is the number of tokens that the model takes; 0 allows any.
	MaxLength int
}

// Question is a prompt with its answer as a model is given it.
type Question struct {
	Prompt  Encoding // with one mask for each token of the answer; of a causal model, what is before the answer
	Masks   []int    // where the answer's tokens are predicted: in Prompt at its masks; in a causal model at the tokens before them
	Answers []int    // ids of the answer's tokens, one for each place; none without an answer
	IDs     []int    // what the model reads: of several passes, one after another
	Passes  int      // the number of passes, which are equally long
	Places  []int    // the masks in IDs
}

// Ask arranges a prompt and its answer, which may be of several tokens; "" asks
// for none. The prompt of a masked model has one [Mask], however many tokens
// the answer has; see [Tokenizer.PromptN], and for a causal one
// [Tokenizer.CausalPrompt].
func (t *Tokenizer) Ask(prompt, answer string, o AskOptions) (Question, error) {
	if o.Order != "" && o.Order != AllAtOnce && o.Order != LeftToRight {
		return Question{}, fmt.Errorf("tokenizer: there is no order %q of an answer's tokens; use %q or %q", o.Order, AllAtOnce, LeftToRight)
	}
	if o.Causal {
		return t.askCausal(prompt, answer, o)
	}
	e, masks, err := t.PromptN(prompt, 1, o.MaxLength)
	q := Question{Prompt: e, Masks: masks, IDs: e.IDs, Passes: 1, Places: masks}
	if err != nil || answer == "" {
		return q, err
	}
	if q.Answers, err = t.Answer(e, answer); err != nil || len(q.Answers) == 1 {
		return q, err
	}
	k := len(q.Answers)
	if q.Prompt, q.Masks, err = t.PromptN(prompt, k, o.MaxLength); err != nil {
		return q, err
	}
	if q.IDs, q.Places = q.Prompt.IDs, q.Masks; o.Order != LeftToRight {
		return q, nil
	}
	q.IDs, q.Places, q.Passes = nil, nil, k
	for j := range k {
		q.Places = append(q.Places, len(q.IDs)+q.Masks[j])
		q.IDs = append(q.IDs, q.Prompt.IDs...)
		pass := q.IDs[len(q.IDs)-len(q.Prompt.IDs):]
		for i, id := range q.Answers[:j] {
			pass[q.Masks[i]] = id
		}
	}
	return q, nil
}

// askCausal is Ask for causal models. They read the answer but for its last
// token, which nothing follows.
func (t *Tokenizer) askCausal(prompt, answer string, o AskOptions) (Question, error) {
	e, err := t.CausalPrompt(prompt, o.MaxLength)
	last := len(e.IDs) - 1
	q := Question{Prompt: e, Masks: []int{last}, IDs: e.IDs, Passes: 1, Places: []int{last}}
	if err != nil || answer == "" {
		return q, err
	}
	if q.Answers, err = t.Answer(e, answer); err != nil {
		return q, err
	}
	q.Masks = nil
	for j := range q.Answers {
		q.Masks = append(q.Masks, last+j)
	}
	q.Places = q.Masks
	q.IDs = append(e.IDs[:len(e.IDs):len(e.IDs)], q.Answers[:len(q.Answers)-1]...)
	if o.MaxLength > 0 && len(q.IDs) > o.MaxLength {
		return q, fmt.Errorf("tokenizer: %w: %d tokens of at most %d with the answer %q, in %q; shorten it", ErrTooLong, len(q.IDs), o.MaxLength, answer, abbreviate(prompt))
	}
	return q, nil
}
