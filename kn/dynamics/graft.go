package dynamics

import (
	"context"
	"fmt"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
)

// Graft writes to dir a masked language model made of the encoder of one
// checkpoint and the head of another, in Hugging Face format. So a fine-tuned
// encoder can be asked for facts through the head that it had before. The head's
// decoder is a matrix of its own, even where the model that it comes from ties it
// to the word embeddings: these take part in fine-tuning, and the head is to stay
// as it was.
func Graft(ctx context.Context, encoder, head, dir string) error {
	sources, err := openAll(ctx, []string{encoder, head})
	if err != nil {
		return err
	}
	if sources[1].folder.Config().Classifies() {
		return fmt.Errorf("dynamics: %s is a classifier and has no head that predicts [MASK]; give the masked language model that was fine-tuned", head)
	}
	below, err := sources[0].folder.Load(ctx, nil)
	if err != nil {
		return err
	}
	above, err := sources[1].folder.Load(ctx, nil)
	if err != nil {
		return err
	}
	return graft(below, above).Save(dir)
}

// MustGraft is [Graft] for notebook cells: it panics instead of returning an error.
func MustGraft(ctx context.Context, encoder, head, dir string) {
	if err := Graft(ctx, encoder, head, dir); err != nil {
		panic(err)
	}
}

// graft puts a model's head on another's encoder.
func graft(below, above *checkpoint.Checkpoint) *checkpoint.Checkpoint {
	const embeddings, decoder = checkpoint.WordEmbeddings, "cls.predictions.decoder.weight"
	config := below.Config.ForMaskedLM()
	config.TieWordEmbeddings = false
	tensors := map[string]checkpoint.Tensor{}
	for _, want := range config.Expected() {
		from, name := below.Tensors, want.Name
		if strings.HasPrefix(name, "cls.") {
			from = above.Tensors
			if name == decoder && above.Config.TieWordEmbeddings {
				name = embeddings
			}
		}
		tensors[want.Name] = from[name]
	}
	return &checkpoint.Checkpoint{Config: config, Tensors: tensors, Tokenizer: above.Tokenizer}
}
