package transformer

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// What decoders have and BERT has not: norms before attention and FFN instead
// of after them, and, in the families that followed GPT-2, RMSNorm (Zhang and
// Sennrich, 2019, https://arxiv.org/abs/1910.07467), rotary positions (Su et
// al., 2021, https://arxiv.org/abs/2104.09864), heads that share keys and values
// (Ainslie et al., 2023, https://arxiv.org/abs/2305.13245), and gated neurons
// (Shazeer, 2020, https://arxiv.org/abs/2002.05202).

// newDecoderLayer asks lookup for the tensors of a decoder's layer.
func newDecoderLayer(c Config, l int, lookup Lookup) LayerWeights {
	a := c.Architecture()
	h, f, d := c.HiddenSize, c.IntermediateSize, c.HeadSize
	p := fmt.Sprintf("model.layers.%d.", l)
	dense := func(name string, out, in int, bias bool) Dense {
		w := Dense{Weight: lookup(p+name+".weight", out, in)}
		if bias {
			w.Bias = lookup(p+name+".bias", out)
		}
		return w
	}
	w := LayerWeights{AttentionNorm: decoderNorm(c, p+"input_layernorm", lookup)}
	w.Query = dense("self_attn.q_proj", c.Heads*d, h, a.QueryBias)
	w.Key = dense("self_attn.k_proj", c.KeyValueHeads*d, h, a.QueryBias)
	w.Value = dense("self_attn.v_proj", c.KeyValueHeads*d, h, a.QueryBias)
	if a.QueryKeyNorm {
		w.QueryNorm, w.KeyNorm = lookup(p+"self_attn.q_norm.weight", d), lookup(p+"self_attn.k_norm.weight", d)
	}
	w.AttentionOutput = dense("self_attn.o_proj", h, c.Heads*d, a.OutputBias)
	w.OutputNorm = decoderNorm(c, p+"post_attention_layernorm", lookup)
	if a.Gated {
		gate := dense("mlp.gate_proj", f, h, a.FFNBias)
		w.Gate = &gate
	}
	w.Intermediate = dense("mlp.up_proj", f, h, a.FFNBias)
	w.Output = dense("mlp.down_proj", h, f, a.FFNBias)
	return w
}

// ownWords is the name of the words of a head that does not share the embeddings.
const ownWords = "lm_head.weight"

// newDecoderHead asks lookup for the tensors above a decoder's layers.
func newDecoderHead(c Config, word *graph.Node, lookup Lookup) HeadWeights {
	head := HeadWeights{Norm: decoderNorm(c, "model.norm", lookup), Decoder: Dense{Weight: word}}
	if !c.TieWordEmbeddings {
		head.Decoder.Weight = lookup(ownWords, c.VocabSize, c.HiddenSize)
	}
	return head
}

func decoderNorm(c Config, name string, lookup Lookup) Norm {
	w := Norm{Scale: lookup(name+".weight", c.HiddenSize)}
	if !c.Architecture().RMSNorm {
		w.Bias = lookup(name+".bias", c.HiddenSize)
	}
	return w
}

// rmsNorm divides the last axis of x by its root mean square, and scales it:
//
//	x [..., K], scale [K] -> [..., K]
func rmsNorm(x, scale *graph.Node, epsilon float64) *graph.Node {
	y := graph.Div(x, graph.Sqrt(graph.AddScalar(mean(graph.Square(x)), epsilon)))
	return graph.Mul(y, graph.ExpandLeftToRank(scale, x.Rank()))
}

// before is the norm that a decoder has before attention or FFN; an encoder has
// none there.
func (w *Weights) before(norm Norm, x *graph.Node) *graph.Node {
	if !w.Config.Causal() {
		return x
	}
	return norm.Apply(x, w.Config.LayerNormEps)
}

// after adds what attention or FFN adds to the residual stream, and applies the
// norm that an encoder has there.
func (w *Weights) after(norm Norm, x, added *graph.Node) *graph.Node {
	x = graph.Add(added, x)
	if w.Config.Causal() {
		return x
	}
	return norm.Apply(x, w.Config.LayerNormEps)
}

// frequencies are the angles [d/2] by which a position turns the pairs of
// numbers of a head, rounded to float32 as transformers rounds them.
func frequencies(c Config) []float64 {
	d := c.HeadSize
	f := make([]float64, d/2)
	for i := range f {
		f[i] = scaleFrequency(c, float64(float32(1/math.Pow(c.RopeTheta, float64(2*i)/float64(d)))))
	}
	return f
}

// scaleFrequency stretches positions beyond those that the model was first
// trained on.
func scaleFrequency(c Config, f float64) float64 {
	s := c.RopeScaling
	switch {
	case s == nil:
		return f
	case s.Type == "linear":
		return float64(float32(f / s.Factor))
	}
	// Llama 3's: short waves stay, long ones are stretched, between them it is
	// a mixture.
	turns := float64(s.OriginalMaxPositions) * f / (2 * math.Pi) // in the length that it was first trained on
	switch {
	case turns < s.LowFreqFactor:
		f /= s.Factor
	case turns <= s.HighFreqFactor:
		smooth := (turns - s.LowFreqFactor) / (s.HighFreqFactor - s.LowFreqFactor)
		f = (1-smooth)*f/s.Factor + smooth*f
	}
	return float64(float32(f))
}

// rotate turns queries or keys by their positions:
//
//	x [B, heads, r, d], positions [1 or B, r] int32, below most -> [B, heads, r, d]
//
// Numbers i and i+d/2 of a head are a pair.
func (w *Weights) rotate(x, positions *graph.Node, most int) *graph.Node {
	f := frequencies(w.Config)
	cos, sin := make([]float32, 0, most*len(f)), make([]float32, 0, most*len(f))
	for p := range most {
		for _, angle := range f {
			s, c := math.Sincos(float64(float32(float64(p) * angle)))
			cos, sin = append(cos, float32(c)), append(sin, float32(s))
		}
	}
	of := func(table []float32) *graph.Node { // [1 or B, 1, r, d/2]
		all := graph.Reshape(graph.Const(x.Graph(), table), most, len(f))
		return graph.InsertAxes(graph.Gather(all, graph.InsertAxes(positions, -1)), 1)
	}
	half := func(from int) *graph.Node {
		return graph.Slice(x, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(), graph.AxisRange(from, from+len(f)))
	}
	c, s, left, right := of(cos), of(sin), half(0), half(len(f))
	return graph.Concatenate([]*graph.Node{
		graph.Sub(graph.Mul(left, c), graph.Mul(right, s)),
		graph.Add(graph.Mul(right, c), graph.Mul(left, s)),
	}, -1)
}

// places are 0 to n-1 as positions [1, n] int32.
func places(g *graph.Graph, n int) *graph.Node {
	return graph.Iota(g, shapes.Make(dtypes.Int32, 1, n), 1)
}
