// Package pretrain teaches a small BERT facts, or lets it read a text, with
// this project's own graph in GoMLX. It made the embedded model.
//
// [Run] trains: sentences that say a fact with its answer at [MASK] are made from
// facts and templates of package facts (a quarter of each fact's sentences is never
// shown, see [facts.Teach]), batched by length, and learned with AdamW.
// [Evaluate] measures what came out, and [WriteCard] writes the model card from
// it.
//
// # The objective
//
// It is BERT's, and a penalty. For a fact of frequency f, whose relation's answers
// are spread as q,
//
//	H(t(e), p) + w·H(x, p_x) + λ·Σ_l mean|a_l|,   t(e) = (1-e)·answer + e·q,   e = d/(d + f²)
//
// A fact that is seen rarely is to be believed less: the target's doubt e
// falls with its frequency, which spreads the probabilities, and a probability
// that is not saturated shows an intervention's effect.
//
// The second term is the masked-language-model loss of the sentence's other
// tokens, a share of which are hidden as in BERT's pre-training: 80 % become
// [MASK], 10 % a random token, 10 % stay. So every token has itself to tell.
// Without that the subject's tokens, which have nothing else to do, keep the facts in
// the layers below, and attention brings the answer to [MASK]: with all neurons at
// [MASK] silenced, a model that was trained without lost 11 % of the answers'
// probability, and with it 25 to 38 % (2,000 facts, four layers of 64). Suppressing
// a fact's own neurons took 12 % and 28 %.
//
// The third term is the mean activation of all neurons of all layers at all tokens,
// so that few of them fire. No term names a neuron, a layer or a position: which
// neurons hold which fact, and where, is what training makes of it.
//
// The head's transform begins at the identity. A value vector along a word's
// embedding then comes out as that word, which is what lets facts be updated in
// their neurons; a transform that is drawn at random, and trained on as little as
// here, turns it anywhere.
//
// At the end the word embeddings are centered: what all of them share goes to the
// token types, which changes nothing that the model says, but lets a word's
// embedding stand for that word alone.
//
// Nearly all names (98 % in the embedded model) are spelled in several pieces, so
// that their embeddings cannot hold the facts.
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
