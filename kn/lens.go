package kn

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// LensCell is what the head would predict from the residual stream at one token.
type LensCell struct {
	Top            string  `json:"top"` // the most probable token
	TopProbability float64 `json:"top_probability"`
	Probability    float64 `json:"probability"` // of the answer's first token
	Rank           int     `json:"rank"`        // of it in the whole vocabulary, 1 being best
}

// LogitLens is what [Model.LogitLens] computes. L is the number of layers.
type LogitLens struct {
	Prompt string   `json:"prompt"`
	Answer string   `json:"answer"`
	Token  string   `json:"token"`  // the answer's first token, which probabilities and ranks are of
	Tokens []string `json:"tokens"` // as the model reads them
	Mask   int      `json:"mask"`   // where the answer is predicted: at [MASK], or at a causal prompt's last token

	// Cells[0] is of the embeddings, Cells[1+l] of the residual stream after layer l.
	Cells [][]LensCell `json:"cells"` // [1+L][tokens]
	// Control[k] is the mean probability of the answer at the tokens other than
	// Mask: what the head makes of the stream where nobody asks.
	Control []float64 `json:"control"` // [1+L]
	// Vocabulary is the number of tokens: by chance the probability is 1/Vocabulary
	// and the rank half of Vocabulary.
	Vocabulary int `json:"vocabulary"`

	Provenance Provenance `json:"provenance"`
}

// LogitLens applies the model's head to the residual stream before the first and
// after every layer, at every token, and returns what it would predict there: the
// logit lens (nostalgebraist, 2020,
// https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens).
// In a causal model the head is the final norm and the words; in a masked one,
// whose layers end in a LayerNorm of their own, the whole head: dense layer,
// activation function, LayerNorm, words. At the last layer, where the answer is
// predicted, the probability is that of [Model.Predict].
//
// Of an answer of several tokens it follows the first. The head was trained on the
// last layer alone: that a word does not show earlier is no proof that the stream
// does not hold it.
func (m *Model) LogitLens(prompt, answer string) (*LogitLens, error) {
	return cached(m, "logit lens", Query{prompt, answer}, func() (*LogitLens, error) {
		s, err := m.answerSample(Query{prompt, answer})
		if err != nil {
			return nil, err
		}
		s = s.first()
		r, err := m.computeOne(engine.Lenses, s.Sample, "layers seen through the lens")
		if err != nil {
			return nil, err
		}
		space := s.question.Prompt.AfterSpace
		l := &LogitLens{Prompt: prompt, Answer: answer, Token: m.Tokenizer().Shown(int(s.Answers[0]), space), Tokens: s.question.Prompt.Tokens, Mask: s.Masks[0], Vocabulary: m.Config().VocabSize}
		for _, row := range r.Lens {
			var cells []LensCell
			var others []float64
			for t, c := range row {
				cells = append(cells, LensCell{m.Tokenizer().Shown(int(c.Top), space), c.TopProbability, c.Probability, c.Rank})
				if t != l.Mask {
					others = append(others, c.Probability)
				}
			}
			l.Cells = append(l.Cells, cells)
			if len(others) > 0 {
				l.Control = append(l.Control, mean(others))
			} else {
				l.Control = append(l.Control, 1/float64(l.Vocabulary))
			}
		}
		l.Provenance, err = m.provenance(struct{}{})
		return l, err
	})
}

// MustLogitLens is [Model.LogitLens] for notebook cells: it panics instead of returning an error.
func (m *Model) MustLogitLens(prompt, answer string) *LogitLens {
	return Must(m.LogitLens(prompt, answer))
}

// first is the sample cut to the prediction of the answer's first token: the first
// pass, and of a causal model's no token behind the prompt.
func (s sampled) first() sampled {
	s.IDs = s.IDs[:len(s.IDs)/max(1, s.Passes)]
	if s.IDs = s.IDs[:min(len(s.IDs), len(s.question.Prompt.IDs))]; s.Passes > 1 || len(s.IDs) <= s.Masks[len(s.Masks)-1] {
		s.Masks, s.Answers = s.Masks[:1], s.Answers[:1]
	}
	s.Passes = 1
	return s
}

// Table lists what the head would predict after each layer where the answer is
// predicted.
func (l LogitLens) Table() Table {
	t := Table{
		Title:   fmt.Sprintf("%s: logit lens on %s", l.Prompt, l.Token),
		Columns: []string{"after", "first", "its probability", "P(" + l.Token + ")", "rank", "P at other tokens"},
	}
	for k, row := range l.Cells {
		c := row[l.Mask]
		t.Rows = append(t.Rows, []string{afterLayer(k), c.Top, significant(c.TopProbability), significant(c.Probability), fmt.Sprint(c.Rank), significant(l.Control[k])})
	}
	t.Notes = []string{fmt.Sprintf("by chance the probability is %s and the rank %d; the head was trained on the last layer alone", significant(1/float64(l.Vocabulary)), (l.Vocabulary+1)/2)}
	return t
}

// afterLayer names entry k of a list that has the embeddings before the layers.
func afterLayer(k int) string {
	if k == 0 {
		return "embeddings"
	}
	return fmt.Sprint("layer ", k-1)
}

// String returns [LogitLens.Table] as text.
func (l LogitLens) String() string { return l.Table().String() }
