// Package pretrain teaches a small BERT or GPT-2 facts, or lets it read a text,
// with this project's own graph in GoMLX. It made the embedded models.
//
// [Run] trains: sentences that say a fact with its answer at [MASK] are made from
// facts and templates of package facts (a quarter of each fact's sentences is never
// shown, see [facts.Teach]), batched by length, and learned with AdamW.
// [Evaluate] measures what came out, and [WriteCard] writes the model card from
// it.
//
// # The objective
//
// It is like BERT's, with the answer always hidden, a target that doubts rare
// facts, and a penalty on activation. For a fact that is shown f times as often as
// the average one, where q gives each answer of its relation a weight that grows
// with the square root of its count,
//
//	H(t(e), p) + w·H(x, p_x) + λ·Σ_l mean|a_l|,   t(e) = (1-e)·answer + e·q,   e = d/(d + f²)
//
// The target doubts a fact the more, the more rarely it is shown. So probabilities
// spread out and stay below 1, where an intervention can show its effect.
//
// The second term is the masked-language-model loss of the sentence's other
// tokens, a share of which are hidden as in BERT's pre-training: 80 % become
// [MASK], 10 % a random token, 10 % stay. So every token's state must keep its
// own word. Without this term the subject's tokens are free to hold the facts in the
// lower layers, and attention brings the answer to [MASK]: in trials with 2,000 facts
// and four layers of 64, silencing all neurons at [MASK] took 11 % of the answers'
// probability from a model trained without it, and 25 to 38 % from models trained with
// it. Suppressing a fact's own neurons took 12 % and 28 %.
//
// The third term is the mean absolute activation of a layer's neurons at all
// tokens, summed over the layers, so that few of them fire. No term singles out a
// neuron or a layer, and the penalty is the same at every token. But the recipe was
// chosen so that facts lie in the neurons at [MASK] and can be updated there, by the
// second term and the head's start.
//
// The head's transform begins at the identity. A value vector along a word's
// embedding then comes out as that word, which is what lets facts be updated in
// their neurons; a transform that is drawn at random, and trained on as little as
// here, turns it anywhere.
//
// At the end the word embeddings are centered: what all of them share goes to the
// token types, or to the positions of a causal model, which changes nothing that
// the model says, but lets a word's embedding stand for that word alone.
//
// Nearly all names (98 % in the embedded model) are spelled in several pieces, so
// that their embeddings cannot hold the facts.
//
// # A causal model
//
// With the architecture "gpt2" the same facts are taught to a model that reads
// from left to right: pre-norm layers, learned positions, and a head that is the word
// embeddings. It is shown whole sentences, only those that end with the answer,
// since the answer is predicted from what stands before it; of these a quarter is
// held out for each fact ([facts.TeachCausal]). The objective is the same, each
// token predicted at the one before it:
//
//	H(t(e), p) + w·H(x, p_x) + λ·Σ_l mean|a_l|
//
// p is the distribution at the token before the answer, and x are the sentence's
// other tokens, [SEP] at its end included: GPT-2's loss with a weight for the
// answer. MaskedShare of them, drawn anew in each step, are computed: all of them
// unless said, and fewer for speed, which leaves the mean the same.
//
// The vocabulary is the same WordPiece, with [CLS] before a text and [SEP] behind
// it, and not GPT-2's byte-level BPE: so an answer is one token as it is in the
// BERT, a name has the same pieces, and what differs between two models is how
// they read. transformers loads such a model as GPT2LMHeadModel with a
// BertTokenizer.
//
// # Speed
//
// Training runs on the backend that the environment variable KN_BACKEND names,
// the Go backend if none. Batches have few distinct shapes. The kn command that
// "go run ./install -xla" builds can also train on XLA, several times as fast:
//
//	KN_BACKEND=xla:cpu kn pretrain …
//
// The same seed gives the same model, byte for byte, on the Go backend.
package pretrain
