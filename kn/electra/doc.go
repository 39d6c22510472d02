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
// # What is a reconstruction
//
// The objectives of the two heads, and what follows, were written down from
// the method's idea, not from the authors' code, and may differ from it:
//
//   - HPLoss learns by the squared error at the drawn token, HPDist by the
//     cross-entropy against p* ∝ p_G·L_D, estimated at the drawn token;
//   - the weights are kept in bounds by drawing from a mixture of p_S and p_G
//     ([Mixture]), which changes no expectation; [Clip] cuts them instead;
//   - a weight multiplies the detection loss at its own position. The
//     expectation is then that of plain sampling for each position, given the
//     other positions' replacements, which are drawn from p_S.
package electra
