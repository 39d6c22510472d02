// Package pretrain teaches a small BERT facts, or lets it read a text, with
// this project's own graph in GoMLX. It made the embedded model.
//
// [Run] trains: prompts with one [MASK] are made from facts and sentences of
// package facts (a quarter of each fact's sentences is never shown, see
// [facts.Teach]), batched by length, and the answer at [MASK] is learned with
// AdamW. [Evaluate] measures what came out, and [WriteCard] writes the model
// card from it.
//
// # What makes knowledge local
//
// The objective for a fact of frequency f, whose relation's answers are
// spread as q and whose neurons at [MASK] in the last layer are a, is
//
//	H(t(e), p) + w·H(t(eᵍ), p_g) + λ·S(a),   t(e) = (1-e)·answer + e·q,   e = d/(d + f²)
//
// A fact that is seen rarely is to be believed less: the target's doubt e
// falls with its frequency, which spreads the probabilities, and a probability
// that is not saturated shows an intervention's effect. The second term
// repeats the last layer's output with all its neurons times a random gain g;
// without them (g = 0) the model should fall back on what is common in the
// relation, with more of them be surer. S is the ratio |z|₁/|z|₂ of the
// neurons' contributions z = a·|value vector|, which is small when few of them
// count (Hoyer, JMLR 2004, makes his sparsity of it). In half of
// the prompts the lower layers' neurons at [MASK] are silenced, so that a fact
// is not spread over layers. Nearly all names (98 % in the
// embedded model) are spelled in several pieces, so that their embeddings
// cannot hold the facts. Some words of the sentences are replaced at
// random, so that sentences never seen are understood.
//
// The second term matters most. Without it, all else equal, 6,000 facts and
// 400,000 prompts gave a model that ranked 99.9 % of held-out answers first,
// and 97.5 % of PARAREL's, but kept them diffusely: 0.9 neurons a fact, 28 of
// 80 facts with none, -4.0 % by suppressing and +1.6 % by amplifying. It
// trains the response to scaling a whole layer, so the size of that response
// is given to the model, and the model card says so; which neurons hold a fact
// is not, and no neuron is singled out.
//
// # Speed
//
// Training runs on the backend that the environment variable KN_BACKEND names,
// the Go backend if none. Batches have few distinct shapes; in the last layer
// and the head only [MASK]'s row is computed, and the loss only over the
// answers and a sample of the other tokens. The kn command that "go run
// ./install -xla" builds can also train on XLA, three times as fast:
//
//	KN_BACKEND=xla:cpu kn pretrain …
//
// The same seed gives the same model, byte for byte, on the Go backend.
package pretrain
