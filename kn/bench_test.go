package kn

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// engineOf makes an engine of a configuration with random weights of deviation
// 0.05, on which the path is as smooth as on a trained model.
func engineOf(b *testing.B, configuration string) *engine.Engine {
	b.Helper()
	var c checkpoint.Config
	if err := json.Unmarshal([]byte(configuration), &c); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	tensors := map[string]checkpoint.Tensor{}
	for _, x := range c.Expected() {
		n := 1
		for _, d := range x.Shape {
			n *= d
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(0.05 * rng.NormFloat64())
		}
		tensors[x.Name] = checkpoint.Tensor{Shape: x.Shape, Data: data}
	}
	m, err := transformer.NewModel(&checkpoint.Checkpoint{Config: c, Tensors: tensors, Source: "random"})
	if err != nil {
		b.Fatal(err)
	}
	return engine.New(m)
}

// fourteenTokens is a prompt of the length of PARAREL's, the answer in it arbitrary.
func fourteenTokens(e *engine.Engine) engine.Sample {
	s := engine.Sample{Masks: []int{9}, Answers: []int32{2000}}
	if e.Model.Config.Causal() {
		s.Masks = []int{13}
	}
	for i := range 14 {
		s.IDs = append(s.IDs, int32(1000+i))
	}
	return s
}

func benchmarkAttribute(b *testing.B, configuration string, o AttributeOptions) {
	e := engineOf(b, configuration)
	how, err := o.filled().engine()
	if err != nil {
		b.Fatal(err)
	}
	request := engine.Request{Operation: engine.Attribution, Rows: []engine.Row{{Sample: fourteenTokens(e)}}, Options: how}
	for b.Loop() {
		err := e.Do(context.Background(), request, func(results []engine.Result) error {
			nodes := 0
			for _, n := range results[0].Nodes {
				nodes += n
			}
			b.ReportMetric(float64(nodes)/float64(len(results[0].Nodes)), "nodes/layer")
			return nil
		}, func(float64) {})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAttributeFamilies attributes one prompt of 14 tokens in all layers of
// a model of each family, of the size of its best known small one.
func BenchmarkAttributeFamilies(b *testing.B) {
	for _, c := range []struct{ name, configuration string }{
		{"BERT-base", `{"model_type": "bert", "vocab_size": 28996}`},
		{"DistilBERT", `{"model_type": "distilbert", "vocab_size": 28996}`},
		{"RoBERTa-base", `{"model_type": "roberta", "max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}`},
		{"ELECTRA-small-generator", `{"model_type": "electra"}`},
		{"GPT-2", `{"model_type": "gpt2"}`},
		{"SmolLM-135M", `{"model_type": "llama", "vocab_size": 49152, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30,
			"num_attention_heads": 9, "num_key_value_heads": 3, "tie_word_embeddings": true}`},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkAttribute(b, c.configuration, AttributeOptions{}) })
	}
	b.Run("BERT-base/20 nodes", func(b *testing.B) {
		benchmarkAttribute(b, `{"model_type": "bert", "vocab_size": 28996}`, AttributeOptions{Rule: LeftRiemann, Nodes: 20})
	})
}

// BenchmarkAttributeSmall attributes one prompt in the small reference model.
func BenchmarkAttributeSmall(b *testing.B) {
	m, prompt, answer := small(b)
	for b.Loop() {
		m.MustAttribute(prompt, answer)
	}
}
