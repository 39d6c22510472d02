// Package kn finds the neurons of a language model, masked or causal (see
// [Load]), that hold a fact, and shows what becomes of the fact when they are
// silenced or amplified, after Dai, Dong, Hao, Sui, Chang and Wei, Knowledge
// Neurons in Pretrained Transformers (ACL 2022,
// https://aclanthology.org/2022.acl-long.581).
//
//	model := kn.MustLoad("mini")
//	attribution := model.MustAttribute(prompt, answer)     // a score for every neuron
//	neurons := model.MustKnowledgeNeurons(prompts, answer) // what several prompts have in common
//	without := model.MustWith(kn.Suppress(neurons.Refined))
//	curves := model.MustFactorCurves(prompts, answer, neurons.Refined)
//
// [Model.Sensitivity] says how far a set depends on the two numbers that refine
// it, [CompareSets] what a fact's sets in two models have in common.
//
// # What is computed
//
// A neuron (l, i) is entry i of the feed-forward activation of layer l, after
// the activation function, at the position of [MASK]. With w the layer's
// activation there and P(v) the answer's probability when v takes its place,
//
//	Attr(l, i) = w_i · ∫₀¹ ∂P(a·w)/∂w_i da
//
// The path scales one layer as a whole. With an exact integral a layer's scores
// sum to P(w) - P(0); the completeness error is how far they miss it. A prompt's
// coarse set has the neurons that score at least t times the largest score of
// all layers, and the fact's refined set those in at least the share p of its
// prompts' coarse sets.
//
// # Causal models and longer answers
//
// A causal model's prompt ends where the answer begins, and its neurons are
// those at the prompt's last token. Where the FFN is gated, as in Llama's, a neuron
// is the gated product: what the output matrix takes.
//
// An answer may have several tokens. A masked model predicts them at as many
// [MASK]s, all at once or one after the other ([WithOrder]), a causal one each
// after those before it. P is the product of their probabilities. w are then the
// activations at all the places where they are predicted, scaled together, and a
// neuron's score is the sum over the places. [TargetLogProbability] attributes the
// logarithm of P instead.
//
// # Seeing inside
//
// [Model.Read] returns what is at any hook point of any layer, at every token;
// [Model.AttributeTokens] what each of the prompt's tokens does for the answer, by
// integrated gradients; [Model.LogitLens] what the head would predict after each
// layer; [Model.CausalTrace] through which states a fact reaches the answer;
// [Model.LogitParts] what each layer and head adds to the answer's logit; and
// [Model.Portrait] what one neuron says and what fires it. All work on an edited
// handle as well, and each number stands beside its control.
//
// # Differences from the published codes
//
// Integrals are as exact as asked for, with their error estimated, instead of
// a sum over 20 nodes; [Dai2022] and [EleutherAI2021] reproduce the sums.
// Prompts keep their length instead of being padded to 128 tokens, nothing
// below the scaled layer is computed twice, and an answer of several tokens is
// asked for as such instead of as [UNK].
//
// # Where it is computed
//
// By GoMLX: on its Go backend, or on XLA for models with 20 million parameters
// or more where "go run ./install -xla" has installed it; [WithBackend] and
// KN_BACKEND decide otherwise. In a notebook such models are computed by a
// worker process that keeps their weights and compiled graphs from cell to
// cell, see [WithWorker].
//
// # Notebooks
//
// A GoNB cell is a process of its own that runs every earlier definition
// again. So handles are lazy, every result is kept in a cache on disk under
// the digest of all that determines it (KN_CACHE names the folder, or "off"),
// and edits are values applied to a model that never changes. The methods that
// cells use have a twin with Must before the name, which panics; for any other use
// [Must].
package kn
