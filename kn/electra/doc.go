// Package electra pre-trains ELECTRA (Clark, Luong, Le and Manning, ICLR 2020,
// https://openreview.net/forum?id=r1xMH1BtvB) with the replacement sampling of
// Hao, Dong, Bao, Xu and Wei, Learning to Sample Replacements for ELECTRA
// Pre-Training (Findings of ACL 2021,
// https://aclanthology.org/2021.findings-acl.394).
//
// A generator, a small masked language model, proposes tokens for the masked
// positions; a discriminator tells of every token whether it was replaced. The
// generator tends to be sure of the right token, so that little is replaced,
// and nothing tells it which replacements the discriminator would learn from.
// The paper has two remedies, each its own choice here:
//
//   - hardness prediction: replacements are drawn from another proposal p_S
//     than the generator's p_G. The detection loss L_D of a replacement x
//     drawn from p_S is weighted by p_G(x)/p_S(x), which keeps its expectation,
//     and has no variance at all when p_S(x) ∝ p_G(x)·L_D(x). L_D is not known
//     before x is drawn, so a head on the generator predicts it ([HPLoss]) or
//     gives p_S itself ([HPDist]);
//   - focal loss: the generator's cross-entropy of a token of probability p
//     counts (1-p)^γ as much ([FocalLoss]).
//
// # Pre-training
//
//	record, err := electra.Run(ctx, electra.Config{Model: mini.Name, Sampler: electra.HPLoss, Gamma: 1, Out: "run"}, nil)
//
// [Run] trains both models from random weights on what the embedded model was
// taught, in this project's sentences, or on a text file, which is tokenized
// once and read in windows. One step masks a share of each window's tokens,
// draws their replacements, has the discriminator look at all tokens, and
// goes down
//
//	L_G + 50·(mean over all tokens of w·L_D) + L_H
//
// with L_G the generator's loss of the masked tokens, L_H what the head that
// predicts hardness learns, and the weights w 1 where nothing was masked. The
// models share their embeddings. Every so many steps what the paper is about
// is measured on windows that are not trained on, see [Measurement].
//
// Windows, masks, draws and weights follow from the seed and the step, so that
// a training that was cancelled, or killed, ends with the same bytes as one
// that was not. transformers loads what comes out as ElectraForMaskedLM and
// ElectraForPreTraining; [Checkpoint.SaveEncoder] makes the discriminator a
// classifier for package finetune to start from.
//
// # What is a reconstruction
//
// The objectives of the two heads, and what follows, were written down from
// the method's idea, not from the authors' code, and may differ from it:
//
//   - HPLoss learns by the squared error at the drawn token, HPDist by the
//     cross-entropy against p* ∝ p_G·L_D, estimated at the drawn token, with
//     what is the same for all tokens computed instead of drawn
//     ([Sampler.HardnessLoss]);
//   - HPDist's head says how p_S differs from p_G, p_S ∝ p_G·exp(h), and both
//     heads start with the same number for every token, so that p_S is p_G before
//     anything has been learned. Any distribution can be written so. A softmax of
//     h alone has the generator's work to do once more, while most of what is
//     drawn is nonsense of hardly any weight: in trials of 2000 steps on 40 facts
//     the generator's cross-entropy fell to 3.14, not to 0.99 as in plain
//     ELECTRA, and the losses varied twice as much as plainly drawn ones;
//   - HPLoss's head adds one number to all, for the usual loss of a replacement.
//     Without it, a token that was never drawn is predicted another loss than the
//     rest, and has a large weight once it is drawn;
//   - the weights are kept in bounds by drawing from a mixture of p_S and p_G
//     ([Mixture]), which changes no expectation; [Clip] cuts them instead;
//   - a weight multiplies the detection loss at its own position. The
//     expectation is then that of plain sampling for each position, given the
//     other positions' replacements, which are drawn from p_S;
//   - the head is built like the generator's own, on the generator's last
//     layer and with the shared embeddings, and what it learns goes on into
//     both: that is the only way from the discriminator back to the generator.
//     Its loss has weight 1;
//   - γ is not the paper's, nor are sizes, rates and texts.
//
// Unlike the published ELECTRA, no dropout is used, every chosen token becomes
// [MASK], and a window is a single segment, whose lines end with [SEP]. The
// gradient is cut where its norm is above 100, not 1: the discriminator's loss
// counts fifty times, so that a cut at 1 scales every step by the
// discriminator's gradient, and the generator learns the less the larger that
// is. On 120 facts the cross-entropy after 2000 steps was 4.50 with 1, 4.09
// with 10, 2.69 with 100 and 2.79 without a bound.
//
// # What a head can know
//
// The proof that p_S ∝ p_G·L_D leaves no variance is for the true L_D, which
// depends on the original token: drawing that one replaces nothing. A head on the
// generator knows the original no better than p_G does. What it can predict at
// best is the expectation of L_D(x), p_G(x)·softplus(s(x)) +
// (1-p_G(x))·softplus(-s(x)) for the discriminator's logit s(x), if p_G is right
// about the originals. In small trained models, enumerated, plain sampling's
// variance of 0.88 went down to 0.02 with the true losses and weights up to 10,
// but to 0.58 only with these expectations.
package electra
