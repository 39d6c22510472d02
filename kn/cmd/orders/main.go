// Orders measures which order of an answer's tokens a masked language model
// predicts better: all at once or left to right, see [kn.WithOrder].
//
//	go run ./kn/cmd/orders MODEL PARAREL [FACTS]
//
// PARAREL's answers are all one token of BERT's vocabulary, so its facts are asked
// the other way round: for the subject, in the relations of capitals, where the
// answer tells it. Facts are drawn whose subjects have two or three tokens, each with
// one of its relation's patterns: "[MASK] has its capital at Paris". The right
// subject and two others of the relation with as many tokens, all drawn with a fixed
// seed, are asked for in either order.
//
// The rule, which was fixed before anything was measured: left to right becomes
// the default if it ranks the right answer first in more facts than all at once
// does, with the whole 95 % interval of the difference (bootstrap over facts)
// above 0. Otherwise all at once stays, which needs one run of the model instead
// of one for each token.
package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

const others = 2

var orders = []kn.Order{kn.AllAtOnce, kn.LeftToRight}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 3 {
		return fmt.Errorf("give a model and PARAREL's folder")
	}
	most := 200
	if len(os.Args) > 3 {
		var err error
		if most, err = strconv.Atoi(os.Args[3]); err != nil {
			return fmt.Errorf("number of facts: %w", err)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var models []*kn.Model
	for _, o := range orders {
		m, err := kn.Load(os.Args[1], kn.WithOrder(o), kn.WithContext(ctx), kn.WithCache("off"))
		if err != nil {
			return err
		}
		models = append(models, m)
	}
	all, err := long(models[0], os.Args[2])
	if err != nil {
		return err
	}
	kind := func(a asked) string { return fmt.Sprint(a.relation, " ", a.tokens) }
	subjects := map[string][]string{} // by relation and number of tokens
	for _, a := range all {
		if k := kind(a); !slices.Contains(subjects[k], a.subject) {
			subjects[k] = append(subjects[k], a.subject)
		}
	}
	rng := rand.New(rand.NewPCG(1, 0x0de5))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var results []result
	for _, a := range all {
		candidates := []string{a.subject}
		for _, i := range rng.Perm(len(subjects[kind(a)])) {
			if s := subjects[kind(a)][i]; s != a.subject && len(candidates) <= others {
				candidates = append(candidates, s)
			}
		}
		if len(candidates) <= others {
			continue
		}
		r := result{tokens: a.tokens}
		prompt := a.prompts[rng.IntN(len(a.prompts))]
		for o, m := range models {
			best := true
			for i, subject := range candidates {
				p, err := m.Probability(prompt, subject)
				if err != nil {
					return err
				}
				if i == 0 {
					r.p[o] = p
				} else {
					best = best && p < r.p[o]
				}
			}
			if best {
				r.first[o] = 1
			}
		}
		if results = append(results, r); len(results)%20 == 0 || len(results) == most {
			report(len(all), results)
		}
		if len(results) == most {
			break
		}
	}
	return nil
}

// asked is a fact the other way round.
type asked struct {
	relation, subject string
	tokens            int // of the subject
	prompts           []string
}

// relations are those whose answer tells the subject: capital, capital of.
var relations = []string{"P36", "P1376"}

// long are the facts whose subjects have two or three tokens.
func long(m *kn.Model, dir string) ([]asked, error) {
	var all []asked
	for _, relation := range relations {
		path := filepath.Join(dir, "data", "pattern_data", "graphs_json", relation+".jsonl")
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		patterns, err := facts.ReadPatterns(file, path)
		file.Close()
		if err != nil {
			return nil, err
		}
		triples, err := facts.ReadFile(filepath.Join(dir, "data", "trex_lms_vocab", relation+".jsonl"))
		if err != nil {
			return nil, err
		}
		for _, f := range triples {
			ids, err := m.Tokenizer().Answer(tokenizer.Encoding{AfterSpace: true}, f.Subject)
			if err != nil || len(ids) < 2 || len(ids) > 3 {
				continue
			}
			a := asked{relation: relation, subject: f.Subject, tokens: len(ids)}
			for _, p := range patterns {
				a.prompts = append(a.prompts, p.Fill(facts.Mask, f.Answer))
			}
			all = append(all, a)
		}
	}
	return all, nil
}

// result is one fact's, by order.
type result struct {
	tokens   int
	p, first [2]float64
}

func report(all int, results []result) {
	fmt.Printf("%d facts of %d\n", len(results), all)
	of := func(value func(r result) float64) stats.Interval {
		clusters := map[int][]float64{}
		for i, r := range results {
			clusters[i] = []float64{value(r)}
		}
		return stats.Bootstrap(clusters, stats.Options{Resamples: 2000, Seed: 1})
	}
	for o, order := range orders {
		var p []float64
		for _, r := range results {
			p = append(p, r.p[o])
		}
		slices.Sort(p)
		f := of(func(r result) float64 { return r.first[o] })
		logs := of(func(r result) float64 { return math.Log10(r.p[o]) })
		fmt.Printf("%-14s first %.3f [%.3f, %.3f], median probability %.3g, mean log10 %.2f [%.2f, %.2f]\n",
			order, f.Mean, f.Low, f.High, stats.Quantile(p, 0.5), logs.Mean, logs.Low, logs.High)
	}
	d := of(func(r result) float64 { return r.first[1] - r.first[0] })
	fmt.Printf("left to right less all at once: %+.3f [%+.3f, %+.3f]\n", d.Mean, d.Low, d.High)
}
