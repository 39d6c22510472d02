// Package dynamics measures what fine-tuning changes inside a BERT, layer by
// layer, after Hao, Dong, Wei and Xu, Investigating Learning Dynamics of BERT
// Fine-Tuning (AACL 2020, https://aclanthology.org/2020.aacl-main.11).
//
// Two indicators compare two models on the same texts:
//
//   - the Jensen-Shannon divergence of attention, see [JSDivergence]: for each
//     layer the mean over texts of the mean over heads and query tokens;
//   - the SVCCA distance of hidden states, see [SVCCADistance]: one minus the
//     mean canonical correlation of their leading singular directions, for the
//     embeddings and each layer, with tokens for samples.
//
// The distance by linear centred kernel alignment, see [CKADistance], is a
// second opinion on hidden states. It does not treat faint directions like
// strong ones, and it is sound with fewer tokens.
//
// [Compare] compares two checkpoints, [Training] a training's checkpoints with
// its start, and [Pairs] each of several models with each other: the same
// training under other seeds, or from other data sets. Models may be masked
// language models or classifiers; their encoders must have the same shapes and
// their tokenizers must agree on the texts.
//
// [Follow] goes beyond the paper. It follows facts through fine-tuning: what
// remains of their answers' probabilities and of their knowledge neurons. Each
// checkpoint's encoder is asked through the head of the model that was
// fine-tuned, see [Graft].
//
// Padding is left out of everything. Texts are streamed: of hidden states only
// the sums are kept that covariances need, in float64, and no attention map
// outlives its batch.
//
// If nearly as many singular directions are kept as there are tokens, canonical
// correlations are near 1 whatever the models are. So take at least ten times as
// many tokens as the hidden size. Results hold the number of tokens and of
// directions kept.
package dynamics
