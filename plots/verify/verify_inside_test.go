package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// tiny is a reference checkpoint that is part of the project; its weights are random.
var tiny = filepath.Join("..", "..", "kn", "internal", "sharedtest", "testdata", "golden", "model")

var prompts = []string{"The capital of France is [MASK] .", "[MASK] is the capital city of France", "France has its capital at [MASK] ."}

func open(t testing.TB) *kn.Model {
	t.Helper()
	m, err := kn.Load(tiny, kn.WithCache("off"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// figures are one of each kind that can be verified.
var figures = sync.OnceValue(func() map[string]*plots.Figure {
	m := kn.MustLoad(tiny, kn.WithCache("off"))
	found := m.MustKnowledgeNeurons(prompts, "Paris", kn.Recipe{Share: 0.5})
	updated := m.MustWith(kn.Update(found.Refined, "Paris", "Rome"), kn.Scale(found.Refined[:1], 0.5))
	var layer []kn.Neuron
	for i := range m.Config().IntermediateSize {
		layer = append(layer, kn.Neuron{Layer: 1, Index: i})
	}
	strong := m.MustWith(kn.Scale(layer, 2))
	scatter := m.MustActivationScatter([]kn.Query{{Prompt: prompts[0], Answer: "Paris"}, {Prompt: prompts[1], Answer: "Paris"}, {Prompt: prompts[2], Answer: "Rome"}}, found.Refined)
	scatter.GroupBy(func(p kn.ScatterPoint) string { return p.Answer })
	asked := kn.PredictOptions{Top: 4, Answer: "Paris"}
	var of []experiments.Fact
	for _, answer := range []string{"Paris", "Rome"} {
		of = append(of, experiments.Fact{
			Bag: facts.Bag{Relation: "P" + answer, Subject: "France", Answer: answer, Prompts: prompts[:2]}, Neurons: found.Refined,
			BaselineNeurons: []kn.Neuron{{Layer: 0, Index: 1}},
		})
	}
	changed := kn.Must(experiments.Intervene(context.Background(), m, of, experiments.InterveneOptions{Draws: 1, Seed: 2, Resamples: 20}, nil))
	sets := kn.MustCompareSets(m, updated, prompts, "Paris", kn.CompareOptions{
		Recipe: kn.Recipe{Share: 0.5}, AnswerB: "Rome", Others: []facts.Bag{{Relation: "P36", Answer: "lucy", Prompts: prompts[:1]}},
	})
	return map[string]*plots.Figure{
		"factor curves":          plots.MustFactorCurves(updated.MustFactorCurves(prompts[:2], "Paris", found.Refined, kn.CurveOptions{Factors: []float64{0, 1, 2}, Draws: 2, Seed: 5})),
		"activation scatter":     plots.MustActivationScatter(scatter, plots.Options{Size: plots.PaperColumn}),
		"attribution heat map":   plots.MustAttributionHeatMap(updated.MustAttribute(prompts[0], "Rome"), plots.Options{Title: `<Rome> & "日本"`, Top: 2}),
		"overlap":                plots.MustOverlap(found),
		"neurons per layer":      plots.MustNeuronsPerLayer([]*kn.KnowledgeNeurons{found, updated.MustKnowledgeNeurons(prompts, "Rome", kn.Recipe{Strict: true, Share: 0.4, Attribute: kn.Dai2022.Attribute})}),
		"predictions":            plots.MustPredictions(m.MustPredict(prompts[0], asked), updated.MustPredict(prompts[0], asked)),
		"sensitivity":            plots.MustSensitivity(m.MustSensitivity(prompts, "Paris", kn.SensitivityOptions{Thresholds: []float64{0.1, 0.3}, Shares: []float64{0.3, 1}})),
		"comparison of two sets": plots.MustSetComparison(sets),
		"logit lens":             plots.MustLogitLens(strong.MustLogitLens(prompts[0], "Rome")),
		"causal trace":           plots.MustCausalTrace(strong.MustCausalTrace(prompts[0], "France", "Rome", kn.TraceOptions{Draws: 2, Seed: 7, Restore: kn.RestoreFFN})),
		"token attribution":      plots.MustTokenAttribution(updated.MustAttributeTokens(prompts[0], "Rome", kn.TokenOptions{Against: "Paris"})),
		"logit parts":            plots.MustLogitParts(strong.MustLogitParts(prompts[0], "Rome")),
		"logit heads":            plots.MustLogitHeads(m.MustLogitParts(prompts[1], "Rome", kn.LogitOptions{Against: "Paris"})),
		"interventions":          experimentplots.MustInterventions(changed),
		"suppressed by relation": experimentplots.MustSuppressedByRelation(changed),
		"amplified by relation":  experimentplots.MustAmplifiedByRelation(changed),
	}
})

func svgOf(t testing.TB, f *plots.Figure) []byte {
	t.Helper()
	svg, err := f.SVG()
	if err != nil {
		t.Fatal(err)
	}
	return svg
}

// verified verifies an SVG of the tiny model.
func verified(t testing.TB, svg []byte, options ...Options) (*Report, error) {
	t.Helper()
	o := append(options, Options{})[0]
	o.Models = append(o.Models, open(t))
	return Figure(t.Context(), bytes.NewReader(svg), o)
}

// TestEqual: every chart that can be computed again is what it says.
func TestEqual(t *testing.T) {
	if drawn, known := slices.Sorted(maps.Keys(figures())), slices.Sorted(maps.Keys(results)); !slices.Equal(drawn, known) {
		t.Errorf("charts are drawn of %q, and known are %q", drawn, known)
	}
	for chart, f := range figures() {
		r, err := verified(t, svgOf(t, f))
		if err != nil {
			t.Errorf("%s: %v", chart, err)
			continue
		}
		if !r.Equal() || r.Numbers < 7 || r.Largest > 1e-5 || r.Version != kn.Version {
			t.Errorf("%s: %d numbers, off by %v: %v", chart, r.Numbers, r.Largest, r)
		}
	}
}

// TestGivenButNotAsked: a model that a figure is not of is named.
func TestGivenButNotAsked(t *testing.T) {
	r, err := verified(t, svgOf(t, figures()["predictions"]), Options{Models: []*kn.Model{kn.MustLoad(mini.Name, kn.WithCache("off"))}})
	if err != nil || !r.Equal() || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "mini was given and not asked") {
		t.Errorf("%v, %v", r, err)
	}
}

// TestOrder: answers of several tokens are asked for in the figure's order, whatever
// the given model's is.
func TestOrder(t *testing.T) {
	all := open(t)
	const prompt, answer = "[MASK] is in France.", "The river"
	for _, m := range []*kn.Model{all, all.WithOrder(kn.LeftToRight)} {
		found := kn.Must(m.KnowledgeNeurons([]string{prompt}, answer, kn.Recipe{}))
		for _, f := range []*plots.Figure{
			plots.MustAttributionHeatMap(kn.Must(m.Attribute(prompt, answer))),
			plots.MustFactorCurves(m.MustFactorCurves([]string{prompt}, answer, found.Refined)),
			plots.MustLogitLens(m.MustLogitLens(prompt, answer)),
		} {
			svg := svgOf(t, f)
			for _, given := range []*kn.Model{all, all.WithOrder(kn.LeftToRight)} {
				r, err := Figure(t.Context(), bytes.NewReader(svg), Options{Models: []*kn.Model{given}})
				if err != nil || !r.Equal() {
					t.Errorf("%v, %v", r, err)
				}
			}
			named := bytes.Contains(svg, []byte(kn.LeftToRight))
			if named != (m != all) {
				t.Fatalf("the figure names the order: %v", named)
			}
			none := bytes.ReplaceAll(svg, []byte(kn.LeftToRight), []byte("backwards"))
			if _, err := Figure(t.Context(), bytes.NewReader(none), Options{Models: []*kn.Model{all}}); named != errors.Is(err, ErrDamaged) {
				t.Errorf("an order that there is not: %v", err)
			}
		}
	}
}

// A leaf is a number, text or truth value somewhere in JSON.
type leaf struct {
	path string // of keys, with * for indices
	set  func(v any)
	v    any
}

func leaves(path string, v any, set func(any), all *[]leaf) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			leaves(path+"."+key, v[key], func(x any) { v[key] = x }, all)
		}
	case []any:
		for i := range v {
			leaves(path+".*", v[i], func(x any) { v[i] = x }, all)
		}
	case nil:
	default:
		*all = append(*all, leaf{path, set, v})
	}
}

// byTheAuthor are what no computation can tell, what no chart of the kind shows,
// options of which others give the same, and the backend, which whoever computes it
// again chooses.
var byTheAuthor = regexp.MustCompile(`(\.group|\.provenance\.(model|backend)|\.a\.name|\.b\.name|\.others\.\*\.fact\.(relation|subject)|\.subject|\.rank|\.bin|^\.nodes` +
	`|_less_\w+\.(mean|low|high)|\.of_relations_\w+\.(mean|low|high)|\.options\.(\w+\.)*(resamples|nodes|tolerance|threshold|share|strict))$`)

// TestEveryLeafCounts changes each kind of number, text and truth value that a
// figure's data have, and draws the figure that goes with it, so that file and
// picture agree: what the model says is then another thing.
func TestEveryLeafCounts(t *testing.T) {
	m := open(t)
	for chart, f := range figures() {
		if strings.HasSuffix(chart, " by relation") {
			continue // the result is that of the interventions
		}
		changed, refused := 0, 0
		first := map[string]bool{}
		var whole map[string]any
		unmarshal(t, f.Provenance().Drawn, &whole)
		var all []leaf
		leaves("", whole["result"], nil, &all)
		for _, l := range all {
			if first[l.path] || byTheAuthor.MatchString(l.path) {
				continue
			}
			first[l.path] = true
			switch v := l.v.(type) {
			case float64:
				l.set(v + 1)
				if v != math.Trunc(v) {
					l.set(v*1.02 + 0.004)
				}
			case string:
				l.set("Rome")
				if v == "Rome" {
					l.set("Paris")
				}
			case bool:
				l.set(!v)
			}
			result := results[chart]()
			data, err := json.Marshal(whole["result"])
			if err != nil {
				t.Fatal(err)
			}
			l.set(l.v)
			var options plots.Options
			optionsJSON, _ := json.Marshal(whole["options"])
			unmarshal(t, optionsJSON, &options)
			if err := json.Unmarshal(data, result.into()); err != nil || result.limits() != nil || result.fits([]*kn.Model{m, m, m}) != nil {
				refused++
				continue
			}
			drawn, err := result.draw(options)
			if err != nil {
				refused++ // no such figure can be made
				continue
			}
			changed++
			if r, err := verified(t, svgOf(t, drawn)); err == nil && r.Equal() {
				t.Errorf("%s: %s was %v and is another, and the figure counts as equal", chart, l.path, l.v)
			}
		}
		if changed < 6 {
			t.Errorf("%s: only %d changes were tried, %d refused", chart, changed, refused)
		}
	}
}

func unmarshal(t testing.TB, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// TestPicture: what is changed in the drawing alone is noticed, and where; what a
// text's line ends are is no matter.
func TestPicture(t *testing.T) {
	svg := svgOf(t, figures()["factor curves"])
	if r, err := verified(t, bytes.ReplaceAll(svg, []byte("\n"), []byte("\r\n"))); err != nil || !r.Equal() {
		t.Errorf("with carriage returns: %v, %v", r, err)
	}
	for _, c := range [][2]string{{">unmodified model: ", ">unmodified model; "}, {"<desc>", "<desc>More. "}, {"</svg>", "<text>more</text></svg>"}, {"<path d=\"M", "<path d=\"M1"}} {
		changed := strings.Replace(string(svg), c[0], c[1], 1)
		if changed == string(svg) {
			t.Fatalf("there is no %q", c[0])
		}
		r, err := verified(t, []byte(changed))
		if err != nil || r.Different != 0 || r.Equal() || !strings.Contains(r.Picture, "line ") {
			t.Errorf("%q for %q: %v, %v", c[1], c[0], r, err)
		}
	}
}

// TestReasons: each reason why a figure cannot be verified.
func TestReasons(t *testing.T) {
	f := figures()["predictions"]
	svg := svgOf(t, f)
	swapped := func(from, to string) []byte {
		if !bytes.Contains(svg, []byte(from)) {
			t.Fatalf("there is no %q", from)
		}
		return bytes.ReplaceAll(svg, []byte(from), []byte(to))
	}
	digest := f.Provenance().Results[0].Digest
	large := kn.MustLoad(mini.Name, kn.WithCache("off"))
	p := f.Provenance()
	old := func(chart string) []byte {
		q := p
		q.Chart, q.Drawn = chart, nil
		data, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg"><metadata><p:provenance xmlns:p="https://github.com/knowledge-neurons/gonb-kn/plots">` + string(data) + `</p:provenance></metadata></svg>`)
	}
	for name, c := range map[string]struct {
		svg    []byte
		models []*kn.Model
		is     error
		names  string
	}{
		"no SVG":             {[]byte("fact"), nil, plots.ErrNoProvenance, "only figures"},
		"a PNG":              {[]byte("\x89PNG\r\n\x1a\n"), nil, plots.ErrNoProvenance, "this is a PNG; give the figure as SVG"},
		"another SVG":        {[]byte("<svg/>"), nil, plots.ErrNoProvenance, "only figures"},
		"an older figure":    {old("predictions"), nil, plots.ErrNoProvenance, "save it again"},
		"torn":               {svg[:1200], nil, ErrDamaged, "cut off"},
		"no model":           {svg, nil, ErrNoModel, digest},
		"another model":      {svg, []*kn.Model{large}, ErrOtherModel, digest},
		"other weights":      {swapped(digest, strings.Repeat("0", 64)), []*kn.Model{open(t)}, ErrOtherModel, digest},
		"another mini":       {bytes.ReplaceAll(swapped(`"model":"model"`, `"model":"mini"`), []byte(digest), []byte(strings.Repeat("0", 64))), nil, ErrOtherModel, "mini"},
		"another version":    {swapped(kn.Version, "0.0.1"), []*kn.Model{open(t)}, ErrOtherVersion, "0.0.1"},
		"a sweep":            {old("layer distribution"), nil, ErrTakesHours, "kn reproduce knowledge-neurons"},
		"a training":         {old("training history"), nil, ErrTakesHours, "kn finetune"},
		"a pre-training":     {old("electra bounds"), nil, ErrTakesHours, "kn reproduce electra-sampling"},
		"many facts":         {old("interventions"), nil, ErrTakesHours, "kn reproduce"},
		"a chart of no kind": {swapped(`"chart":"predictions"`, `"chart":"prophecies"`), nil, ErrDamaged, "prophecies"},
		"of another kind":    {swapped(`"chart":"predictions"`, `"chart":"overlap"`), nil, ErrDamaged, ""},
	} {
		r, err := Figure(t.Context(), bytes.NewReader(c.svg), Options{Models: c.models})
		if !errors.Is(err, c.is) || r != nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v and %v, want %v that names %q", name, r, err, c.is, c.names)
		}
	}
	if r, err := verified(t, swapped(kn.Version, "0.0.1"), Options{AnyVersion: true}); err != nil || r.Different != 0 || r.Picture != "" {
		t.Errorf("with any version: %v, %v", r, err)
	}
	edited := open(t).MustWith(kn.Suppress([]kn.Neuron{{}}))
	if _, err := Figure(t.Context(), bytes.NewReader(svg), Options{Models: []*kn.Model{edited}}); err == nil || !strings.Contains(err.Error(), "edits") {
		t.Errorf("an edited model: %v", err)
	}
	for _, tolerance := range []float64{-1, 1, math.NaN()} {
		if _, err := verified(t, svg, Options{Tolerance: tolerance}); err == nil || !strings.Contains(err.Error(), "tolerance") {
			t.Errorf("tolerance %v: %v", tolerance, err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := Figure(stopped, bytes.NewReader(svg), Options{Models: []*kn.Model{open(t)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "none.svg")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestHostile: files that ask for too much are refused at once.
func TestHostile(t *testing.T) {
	with := func(chart, from, to string) []byte {
		svg := svgOf(t, figures()[chart])
		start := bytes.Index(svg, []byte(`"drawn":`))
		changed := regexp.MustCompile(from).ReplaceAll(svg[start:], []byte(to))
		if bytes.Equal(changed, svg[start:]) {
			t.Fatalf("%s: there is no %q", chart, from)
		}
		return append(bytes.Clone(svg[:start]), changed...)
	}
	long := strings.Repeat("a", 5000)
	for name, svg := range map[string][]byte{
		"deep":             []byte(strings.Repeat("<a>", 1_000_000)),
		"deep JSON":        with("predictions", `"top":4`, `"top":`+strings.Repeat("[", 100_000)),
		"entities":         []byte(`<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><svg>&b;</svg>`),
		"large":            bytes.Repeat([]byte(" "), mostBytes+1),
		"a long title":     with("predictions", `"options":\{`, `"options":{"title":"`+long+`",`),
		"a long prompt":    with("predictions", `The capital of`, long),
		"a large picture":  with("activation scatter", `"width":[0-9.]+`, `"width":1e9`),
		"many layers":      with("attribution heat map", `"layers":2`, `"layers":2000000000`),
		"many neurons":     with("overlap", `"ffn":32`, `"ffn":2000000000`),
		"no layers":        with("overlap", `"layers":2`, `"layers":-2`),
		"neuron outside":   with("attribution heat map", `"neurons":\[\[\d+`, `"neurons":[[32`),
		"narrow columns":   with("attribution heat map", `"bin":1`, `"bin":0`),
		"no edit":          with("attribution heat map", `"op":"scale"`, `"op":"explode"`),
		"edit outside":     with("attribution heat map", `"neurons":\[\[\d+,\d+\]\],"op":"scale"`, `"neurons":[[9,1]],"op":"scale"`),
		"many nodes":       with("attribution heat map", `"nodes":\d+`, `"nodes":1000000000`),
		"many nodes each":  with("overlap", `"nodes":\d+`, `"nodes":1000000000`),
		"many draws":       with("factor curves", `"draws":2`, `"draws":1000000000`),
		"many controls":    with("interventions", `"draws":1`, `"draws":1000000000`),
		"much noise":       with("causal trace", `"draws":2`, `"draws":1000000000`),
		"many layers seen": with("logit lens", `"cells":\[`, `"cells":[[],`),
		"many token nodes": with("token attribution", `"nodes":4097`, `"nodes":1000000000`),
		"no heads":         with("logit heads", `"heads":\[\[[^\]]*\]`, `"heads":[[]`),
		"many resamples":   with("interventions", `"resamples":20`, `"resamples":1000000000`),
		"an odd option":    with("overlap", `"share":0.5`, `"share":0.5,"shell":"rm"`),
		"one prediction":   with("predictions", `"result":\[.*\]`, `"result":[]`),
		"no prediction":    with("predictions", `"result":\[.*\]`, `"result":[null,null]`),
		"no facts":         with("neurons per layer", `"result":\[.*\]`, `"result":[]`),
		"no fact":          with("neurons per layer", `"result":\[.*\]`, `"result":[null]`),
		"no points":        with("sensitivity", `"thresholds":\[[^\]]*\]`, `"thresholds":[]`),
		"two recipes":      with("comparison of two sets", `"share":0.5`, `"share":0.4`),
		"an empty result":  with("factor curves", `"result":\{.*\}\}`, `"result":{}}`),
		"a null result":    with("factor curves", `"result":\{.*\}\}`, `"result":null}`),
		"another's result": with("factor curves", `"result":\{.*\}\}`, `"result":[]}`),
	} {
		if name == "two recipes" { // of the first model alone
			svg = bytes.Replace(svg, []byte(`"share":0.4`), []byte(`"share":0.5`), 1)
		}
		start := time.Now()
		r, err := verified(t, svg)
		if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNoModel) && !errors.Is(err, ErrOtherVersion) || r != nil {
			t.Errorf("%s: %v and %v, want an error that says it is damaged", name, r, err)
		}
		if err != nil && (len(err.Error()) > 1500 || strings.ContainsAny(err.Error(), "\n\x1b")) {
			t.Errorf("%s: the error has %d bytes, or control characters: %.200q", name, len(err.Error()), err)
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// TestEveryChartIsKnown: all charts in the source can be computed again or have
// a command that makes them.
func TestEveryChartIsKnown(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	others, err := filepath.Glob(filepath.Join("..", "*plots", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, others...)
	names := regexp.MustCompile(`(?:chart\.New|newConvergence|newUpdateCurve|erasedCurve|newDynamics|changeByRelation)\((?:\w+, )*"([a-z ]+)"`)
	found := 0
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range names.FindAllSubmatch(source, -1) {
			chart := string(match[1])
			if strings.Contains(string(match[0]), "changeByRelation") {
				chart += " by relation"
			}
			if found++; results[chart] == nil && commandOf(chart) == "" {
				t.Errorf("%s: kn verify can neither compute a %q nor name what can", file, chart)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d charts were found", found)
	}
}

func TestReportInWords(t *testing.T) {
	r := &Report{Chart: "curves", Title: "Fact", Models: []string{"mini", "mini", "own"}, Version: "1.2.3", Tolerance: 1e-3, Numbers: 9, Largest: 0.02, Different: 3, Differences: []Difference{{"p at factor 2", "0.3", "0.5", 0.02}, {"set", "has 1:2", "has it not", 0}}, Picture: "line 3", Notes: []string{"note"}}
	want := "Fact: 3 of 9 differ\n" +
		"                  figure    computed  off by\n" +
		"  p at factor 2      0.3         0.5     2 %\n" +
		"  set            has 1:2  has it not\n" +
		"and 1 more\n" +
		"curves of mini and own, made by version 1.2.3\n" +
		"9 numbers, sets and texts compared; numbers differ by 2 % at most of the largest on their axis, and count as equal up to 0.1 %\n" +
		"the picture is not the one that the file's own numbers give: line 3\nnote"
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// FuzzFigure: whatever the file, no panic, and a report or an error.
func FuzzFigure(f *testing.F) {
	for _, figure := range figures() {
		f.Add(svgOf(f, figure))
	}
	f.Fuzz(func(t *testing.T, svg []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := Figure(ctx, bytes.NewReader(svg), Options{Models: []*kn.Model{open(t)}})
		if (r == nil) == (err == nil) {
			t.Errorf("got %v and %v", r, err)
		}
		if r != nil {
			fmt.Fprint(new(strings.Builder), r)
		}
	})
}
