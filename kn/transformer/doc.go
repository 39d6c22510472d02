// Package transformer builds the graph of a transformer in GoMLX, with named places
// where a value can be read or replaced: of BERT (Devlin et al., 2019,
// https://arxiv.org/abs/1810.04805) and what came after it, with a head that
// predicts tokens or a classifier.
//
// Encoders are BERT's. The configuration says in what they differ: whether there
// are token types, at which row positions begin, the width E of embeddings and
// head where that is not H, and the head's activation function.
//
// Encoders' layers are post-norm, as published:
//
//	ids ─► word + position + type embeddings ─► LayerNorm (─► dense, where E is not H)
//	                                               │ EmbeddingsOut [B, n, H]
//	┌───────────────────── layer l ────────────────┼──────────────────────────┐
//	│      ┌───────────────────────────────────────┤                          │
//	│      │   dense ─► QueryOut, KeyOut, ValueOut: Q, K, V [B, n, H]          │
//	│      │   Q Kᵀ/√d ─► softmax ─► AttentionProbs [B, A, n, n]               │
//	│      │                          · V ─► dense ─► AttentionOut [B, n, H]   │
//	│      └──────────────► + ◄────────────────────┘                          │
//	│                       LayerNorm                                         │
//	│      ┌────────────────┤ ResidMid [B, n, H]                              │
//	│      │                dense ─► FFNPre [B, n, F]                         │
//	│      │                activation ─► FFNPost [B, n, F]  (the neurons)    │
//	│      │                dense ─► FFNOut [B, n, H]                         │
//	│      └──────────────► +                                                 │
//	│                       LayerNorm ─► ResidPost [B, n, H]                  │
//	└───────────────────────┼─────────────────────────────────────────────────┘
//	                        ▼ after the last layer
//	dense ─► activation ─► LayerNorm [B, n, E] ─► · word embeddingsᵀ + bias ─► logits [B, n, V]
//	of [CLS]: dense ─► tanh ─► dense ─► logits [B, K], in a classifier
//
// Decoders, causal models, are pre-norm: a norm stands in front of attention and
// FFN instead of behind them, and one behind the last layer, so that the residual
// stream is a plain sum. A token attends to none behind itself.
// [checkpoint.Architecture] says what else a family has: RMSNorm, rotary positions,
// heads that share keys and values, gated neurons, and which layers have biases.
// The hook points are the same, with one more in a gated FFN:
//
//	ids ─► word (+ position) embeddings
//	                                               │ EmbeddingsOut [B, n, H]
//	┌───────────────────── layer l ────────────────┼──────────────────────────┐
//	│      ┌───────────────────────────────────────┤                          │
//	│      │   norm ─► dense ─► QueryOut [B, n, A·d], KeyOut, ValueOut [B, n, G·d]
//	│      │   (norm of each head, rotation)                                  │
//	│      │   Q Kᵀ/√d, causal ─► softmax ─► AttentionProbs [B, A, n, n]       │
//	│      │                          · V ─► dense ─► AttentionOut [B, n, H]   │
//	│      └──────────────► + ◄────────────────────┘                          │
//	│      ┌────────────────┤ ResidMid [B, n, H]                              │
//	│      │                norm ─► dense ─► FFNPre [B, n, F]                 │
//	│      │                activation (· dense, FFNLinear) ─► FFNPost        │
//	│      │                dense ─► FFNOut [B, n, H]                         │
//	│      └──────────────► + ─► ResidPost [B, n, H]                          │
//	└───────────────────────┼─────────────────────────────────────────────────┘
//	                        ▼ after the last layer
//	norm ─► · word embeddingsᵀ or the head's own ─► logits [B, n, V]
//
// A [Hook] at a [Site] sees the node while the graph is built and may return
// another one in its place:
//
//	hooks := transformer.Hooks{}
//	neurons := hooks.Capture(transformer.FFNPost, 2)
//	hooks.Add(transformer.AttentionProbs, 0, func(p *graph.Node) *graph.Node { return graph.ZerosLike(p) })
//
// A graph is an ordinary GoMLX graph: [Model.NewExec] hands a function of
// yours the weights' nodes, and it does with them what it likes, gradients
// included.
package transformer
