// Package notebooks tests the notebooks: each is executed by a real Jupyter
// with our kernel, and what its cells produced is checked.
package notebooks

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kernel/kerneltest"
	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// execute runs a notebook with an empty cache and returns it with the page.
func execute(t *testing.T, name string) (*kernel.Notebook, string) {
	t.Helper()
	return executeOn(t, name, true)
}

// executeOn does the same. shown says that what comes out is what readers are to
// see, and not that of a stand-in for a larger model.
func executeOn(t *testing.T, name string, shown bool) (*kernel.Notebook, string) {
	t.Helper()
	in := kerneltest.Shared(t)
	for _, v := range in.Env {
		variable, value, _ := strings.Cut(v, "=")
		t.Setenv(variable, value)
	}
	t.Setenv("KN_CACHE", t.TempDir())
	ctx := context.Background()
	j, err := in.FindJupyter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "page")
	n, err := in.Execute(ctx, j, filepath.Join(in.Root, "notebooks", name), page)
	if err != nil {
		t.Fatal(err)
	}
	unchanged(t, filepath.Join(in.Root, "notebooks", name), page+".ipynb")
	if *regen && shown {
		render(t, j, page+".ipynb", name)
	}
	html, err := os.ReadFile(page + ".html")
	if err != nil {
		t.Fatal(err)
	}
	return n, string(html)
}

// unchanged fails if a notebook names its language otherwise than the kernel
// does: JupyterLab would mark it as changed as soon as it is opened.
func unchanged(t *testing.T, notebook, executed string) {
	t.Helper()
	var languages [2]any
	for i, path := range []string{notebook, executed} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var n struct {
			Metadata struct {
				Language any `json:"language_info"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(data, &n); err != nil {
			t.Fatal(err)
		}
		languages[i] = n.Metadata.Language
	}
	if !reflect.DeepEqual(languages[0], languages[1]) {
		t.Errorf("the notebook's language is %v, the kernel's %v", languages[0], languages[1])
	}
}

// cell returns the code cell whose source contains a text.
func cell(t *testing.T, n *kernel.Notebook, text string) kernel.Cell {
	t.Helper()
	for _, c := range n.Cells {
		if c.Type == "code" && strings.Contains(string(c.Source), text) {
			return c
		}
	}
	t.Fatalf("no cell contains %q", text)
	return kernel.Cell{}
}

// numbers finds the numbers that a pattern's groups match in what a cell printed.
func numbers(t *testing.T, c kernel.Cell, pattern string) []float64 {
	t.Helper()
	match := regexp.MustCompile(pattern).FindStringSubmatch(c.Printed())
	if match == nil {
		t.Fatalf("the cell printed\n%s\nwhich does not match %s", c.Printed(), pattern)
	}
	var all []float64
	for _, text := range match[1:] {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, x)
	}
	return all
}

// shows fails unless the cell displays a chart that has all the texts.
func shows(t *testing.T, c kernel.Cell, texts ...string) {
	t.Helper()
	chart := c.Displayed("image/svg+xml")
	if !strings.Contains(chart, "<svg") {
		t.Errorf("the cell shows no chart:\n%s", c.Source)
	}
	if c.Displayed("image/png") == "" {
		t.Errorf("the chart cannot be seen in a notebook that is not trusted:\n%s", c.Source)
	}
	for _, text := range texts {
		if !strings.Contains(chart, text) {
			t.Errorf("the chart does not say %q", text)
		}
	}
}

func TestQuickstart(t *testing.T) {
	n, page := execute(t, "quickstart.ipynb")
	if first := cell(t, n, "range prompts {\n\tp :="); strings.Count(first.Printed(), " Paris ") < 4 {
		t.Errorf("the model does not know the capital of France:\n%s", first.Printed())
	}
	if first := cell(t, n, "range prompts {\n\tp :="); len(regexp.MustCompile(`\[MASK\]\. `).FindAllString(first.Printed(), -1)) != 6 {
		t.Errorf("a causal model can be asked prompts that end with the answer only:\n%s", first.Printed())
	}
	attribute := cell(t, n, "MustAttribute")
	if p := numbers(t, attribute, `P\(Paris\) = ([\d.]+)`)[0]; p < 0.3 {
		t.Errorf("the answer has probability %v", p)
	}
	shows(t, attribute)
	if refine := cell(t, n, "MustKnowledgeNeurons"); !regexp.MustCompile(`\[\d+:\d+`).MatchString(refine.Printed()) {
		t.Errorf("no knowledge neurons:\n%s", refine.Printed())
	}
	edit := numbers(t, cell(t, n, "kn.Suppress"), `([\d.]+)   suppressed ([\d.]+)   amplified ([\d.]+)`)
	if edit[1] > 0.8*edit[0] || edit[2] < edit[0] {
		t.Errorf("probability %v, suppressed %v, amplified %v", edit[0], edit[1], edit[2])
	}
	shows(t, cell(t, n, "MustPredictions"))
	shows(t, cell(t, n, "plots.MustFactorCurves"), "random", "matched")
	shows(t, cell(t, n, "MustActivationScatter"), "other countries")
	if !strings.Contains(page, "data:image/svg+xml;base64,") {
		t.Error("the page shows no chart")
	}
}

func TestKnowledgeNeurons(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // the sweep starts from nothing
	n, _ := execute(t, "knowledge-neurons.ipynb")
	swept := numbers(t, cell(t, n, "sweep.MustRun"), `(\d+) facts, (\d+) prompts; (\d+) attributed now`)
	if swept[0] != 15 || swept[1] < 150 || swept[2] != swept[1] {
		t.Errorf("%v facts, %v prompts, %v attributed", swept[0], swept[1], swept[2])
	}
	table := cell(t, n, "MustNeurons")
	if shared := numbers(t, table, `integrated gradients.*neurons a fact ([\d.]+).*within ([\d.]+), across ([\d.]+)`); shared[0] < 1 || shared[1] <= shared[2] {
		t.Errorf("%v neurons a fact, %v shared within, %v across", shared[0], shared[1], shared[2])
	}
	shows(t, table, "baseline")
	effect := cell(t, n, "MustIntervene")
	if change := numbers(t, effect, `suppressed ([-+\d.]+) %, amplified ([-+\d.]+) %`); change[0] > -40 || change[1] < 0 {
		t.Errorf("suppressed %v %%, amplified %v %%", change[0], change[1])
	}
	shows(t, effect, "random")
	expressed := cell(t, n, "MustExpress")
	if mean := numbers(t, expressed, `T1 ([-\d.]+), T2 ([-\d.]+), T3 ([-\d.]+)`); !(mean[0] > mean[1] && mean[1] > mean[2]) {
		t.Errorf("activations %v", mean)
	}
	shows(t, expressed, "T1")
	update := cell(t, n, "MustUpdate")
	rates := numbers(t, update, `(?s)own +change rate +([\d.]+) %.*random +change rate +([\d.]+) %`)
	if rates[0] <= rates[1] {
		t.Errorf("updates change %v %% by own neurons, %v %% by random ones", rates[0], rates[1])
	}
	shows(t, update)
	erased := numbers(t, cell(t, n, "MustErase"), `P36 .*perplexity ([\d.]+) → ([\d.]+); of other relations ([\d.]+) → ([\d.]+)`)
	if erased[1]/erased[0] <= erased[3]/erased[2] {
		t.Errorf("perplexity of the erased relation %v → %v, of others %v → %v", erased[0], erased[1], erased[2], erased[3])
	}
	shows(t, cell(t, n, "MustConvergence"), "adaptive")
}

// TestBertBase executes the notebook on the paper's model where KN_BERT_BASE
// names its folder (see .ci/bert-base), and else on the embedded model in its
// place, which has other neurons and knows the same facts.
func TestBertBase(t *testing.T) {
	real := os.Getenv("KN_BERT_BASE") != ""
	if !real {
		folder := filepath.Join(t.TempDir(), "stand-in")
		if err := kn.MustLoad(mini.Name).Save(folder); err != nil {
			t.Fatal(err)
		}
		t.Setenv("KN_BERT_BASE", folder)
	}
	n, _ := executeOn(t, "bert-base.ipynb", real)
	if p := numbers(t, cell(t, n, "range prompts {\n\tp :="), `P\(Dublin\) = ([\d.]+) %`)[0]; p < 10 {
		t.Errorf("the model gives the answer %v %%", p)
	}
	shows(t, cell(t, n, "MustAttributionHeatMap"))
	refine := cell(t, n, "MustKnowledgeNeurons")
	for _, neuron := range []string{"9:2141", "10:1122"} {
		if got := strings.Contains(refine.Printed(), "the paper's "+neuron+" is among them: true"); got != real {
			t.Errorf("the paper's neuron %s is found: %v", neuron, got)
		}
	}
	shows(t, refine)
	edit := numbers(t, cell(t, n, "kn.Suppress"), `([\d.]+)   suppressed ([\d.]+)   amplified ([\d.]+)`)
	if edit[1] >= edit[0] || edit[2] <= edit[0] {
		t.Errorf("probability %v, suppressed %v, amplified %v", edit[0], edit[1], edit[2])
	}
	shows(t, cell(t, n, "plots.MustFactorCurves"), "random", "matched")
	// The embedded model's answers change, but not to what is asked for.
	update := cell(t, n, "kn.Update")
	moved := regexp.MustCompile(`The capital of Ireland is \[MASK\]\. +Dublin +[\d.]+   now (\S+)`).FindStringSubmatch(update.Printed())
	if moved == nil || moved[1] == "Dublin" || real && moved[1] != "Rome" {
		t.Errorf("the capital did not move to Rome:\n%s", update.Printed())
	}
	shows(t, update)
	shows(t, cell(t, n, "MustActivationScatter"), "about Ireland", "other capitals")
}

func TestInside(t *testing.T) {
	t.Setenv("KN_MODEL", "") // the embedded one
	n, _ := execute(t, "inside.ipynb")
	shows(t, cell(t, n, "MustAttentionArcs"), "Attention")
	tokens := cell(t, n, "var tokens")
	shows(t, tokens, "Attribution of P(Paris) to tokens")
	if missed := numbers(t, tokens, `miss the difference by ([-\d.]+)`)[0]; missed > 0.01 || missed < -0.01 {
		t.Errorf("the tokens' scores miss the difference by %v", missed)
	}
	shows(t, cell(t, n, "Against: rival})))"), "P(London)")
	shows(t, cell(t, n, "var lens"), "Paris")
	trace := cell(t, n, "MustCausalTrace")
	p := numbers(t, trace, `P\(Paris\): ([\d.]+), with noise ([\d.]+)`)
	if p[1] > 0.5*p[0] {
		t.Errorf("the answer has probability %v, and with noise on the subject still %v", p[0], p[1])
	}
	shows(t, trace, "mean of others")
	sums := numbers(t, cell(t, n, "MustLogitParts"), `add up to ([-\d.]+), the logits differ by ([-\d.]+)`)
	if d := sums[0] - sums[1]; d > 1e-3 || d < -1e-3 || sums[1] < 0 {
		t.Errorf("the parts add up to %v, the logits differ by %v", sums[0], sums[1])
	}
	shows(t, cell(t, n, "MustLogitHeads"), "What adds to the logit of")
	if portrait := cell(t, n, "MustPortrait"); !strings.Contains(portrait.Printed(), "prompts") {
		t.Errorf("no portrait:\n%s", portrait.Printed())
	}
	last := numbers(t, cell(t, n, "kn.Suppress"), `(?s).*after layer \d+ +([\d.]+) +([\d.]+) +([\d.]+)`)
	if last[1] > 0.7*last[0] || last[2] < 0.9*last[0] {
		t.Errorf("P(Paris) unmodified, without its neurons and without random ones: %v", last)
	}
}

func TestBERTAndGPT(t *testing.T) {
	n, _ := execute(t, "bert-and-gpt.ipynb")
	knows := numbers(t, cell(t, n, "facts asked"), `(?s)mini +ranks the answer first in ([\d.]+) %.*mini-gpt +ranks the answer first in ([\d.]+) %`)
	if knows[0] < 90 || knows[1] < 90 {
		t.Errorf("the models know %v %% of the prompts", knows)
	}
	layers := cell(t, n, "func neuronsOf")
	counts := numbers(t, layers, `(?s)mini +([\d.]+) neurons a fact.*?\[(\d+) \d+ \d+ (\d+)\].*mini-gpt +([\d.]+) neurons a fact.*\[(\d+) \d+ \d+ (\d+)\]`)
	if counts[0] < 2 || counts[3] < 2 || counts[2] < counts[1] || counts[4] < counts[5] {
		t.Errorf("neurons a fact, and in the lowest and highest layer: %v", counts)
	}
	shows(t, layers, "Knowledge neurons per layer")
	effects := cell(t, n, "type effect")
	for _, m := range []string{"mini", "mini-gpt"} {
		change := func(set string) []float64 {
			return numbers(t, effects, `(?m)^`+m+` +`+set+` +suppressed +([-+\d.]+) %   amplified +([-+\d.]+) %`)
		}
		for _, set := range []string{"own", "own, the strongest 5"} {
			if own := change(set); own[0] > -30 || own[1] < 3 {
				t.Errorf("%s: a fact's neurons (%s) change its probability by %v %%", m, set, own)
			}
		}
		for _, control := range []string{"random", "another fact's"} {
			if c := change(control); math.Abs(c[0]) > 10 || math.Abs(c[1]) > 10 {
				t.Errorf("%s: %s neurons change it by %v %%", m, control, c)
			}
		}
	}
	trace := cell(t, n, "MustCausalTrace")
	if p := numbers(t, trace, `mini-gpt +P\(Stockholm\): ([\d.]+), with noise ([\d.]+)`); p[1] > 0.5*p[0] {
		t.Errorf("the answer has probability %v, and with noise on the subject still %v", p[0], p[1])
	}
	shows(t, trace, "Stockholm")
	shows(t, cell(t, n, "var ways"), "random")
	if long := numbers(t, cell(t, n, "const long"), `mini-gpt +one after another +P\(House of Representatives\) = ([-\d.e]+)`); long[0] < 1e-4 {
		t.Errorf("an answer of three tokens has probability %v", long[0])
	}
}

func TestTeaching(t *testing.T) {
	n, page := execute(t, "teaching.ipynb")
	sums := numbers(t, cell(t, n, "byHand returns"), `scores ([-\d.]+), growth of the probability ([-\d.]+)`)
	if d := sums[0] - sums[1]; d > 0.02 || d < -0.02 {
		t.Errorf("scores sum to %v, the probability grows by %v", sums[0], sums[1])
	}
	difference := numbers(t, cell(t, n, "for i, s := range byHand(100)"), `largest score ([\d.]+), largest difference ([\d.]+)`)
	if difference[1] > 0.02*difference[0] {
		t.Errorf("by hand and by the library differ by %v of %v", difference[1], difference[0])
	}
	slider := cell(t, n, "MustSlider")
	for _, needed := range []string{"<script", "type=\"range\"", "<img "} {
		if !strings.Contains(slider.Displayed("text/html"), needed) || !strings.Contains(page, needed) {
			t.Errorf("the slider has no %s", needed)
		}
	}
	loadsNothing(t, slider.Displayed("text/html"))
	// It must not hold up Run All; with a browser .ci/browser tries it.
	if live := cell(t, n, "follow(patience)"); !strings.Contains(live.Printed(), "run this cell again") {
		t.Errorf("the live slider printed\n%s", live.Printed())
	}
	if effect := cell(t, n, "kn.Effect"); !strings.Contains(effect.Displayed("text/html"), "<td") || !strings.Contains(effect.Displayed("text/plain"), "Cairo") {
		t.Errorf("the effect of an edit is not shown as a table: %+v", effect.Outputs)
	}
	first := numbers(t, cell(t, n, "kn.LeftRiemann, Nodes: nodes"), `(?s) 5 nodes: scores off by +([\d.]+) %.*20 nodes: scores off by +([\d.]+) %.*80 nodes: scores off by +([\d.]+) %`)
	if !(first[0] > first[1] && first[1] > first[2]) {
		t.Errorf("errors with 5, 20, 80 nodes: %v", first)
	}
	second := cell(t, n, "rand.NewPCG")
	own := numbers(t, second, `unmodified ([\d.]+), own neurons suppressed ([\d.]+)`)
	control := numbers(t, second, `suppressed: ([\d.]+)`)
	if before := own[0]; before-own[1] < 4*max(before-control[0], control[0]-before) {
		t.Errorf("unmodified %v, own suppressed %v, random %v", before, own[1], control[0])
	}
	if r := numbers(t, cell(t, n, "stat.Correlation"), `probability: ([-\d.]+)`)[0]; r < 0.2 {
		t.Errorf("frequency and probability correlate by %v", r)
	}
	fourth := numbers(t, cell(t, n, "tell := func"), `(?s)P\(Budapest\) [\d.]+, with Hungary's neurons suppressed ([-+\d]+) %.*P\(Paris\) [\d.]+, with Hungary's neurons suppressed ([-+\d]+) %`)
	if fourth[0] > -30 || fourth[1] < fourth[0]+20 {
		t.Errorf("suppressed neurons change their own fact by %v %%, another by %v %%", fourth[0], fourth[1])
	}
}

func TestLossLandscapes(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // no training is there yet
	n, page := execute(t, "loss-landscapes.ipynb")
	tuned := cell(t, n, "finetune.MustRun(ctx, tuned,")
	if dev := numbers(t, tuned, `held-out examples ([\d.]+), accuracy there ([\d.]+) %`); dev[0] > 0.5 || dev[1] < 80 {
		t.Errorf("fine-tuning ends with loss %v and accuracy %v %%", dev[0], dev[1])
	}
	live(t, tuned)
	scratch := cell(t, n, "finetune.MustRun(ctx, scratch,")
	live(t, scratch)
	if a, b := numbers(t, tuned, `held-out examples ([\d.]+)`)[0], numbers(t, scratch, `held-out examples ([\d.]+)`)[0]; a >= b {
		t.Errorf("the held-out loss is %v after pre-training, %v from scratch", a, b)
	}
	curves := cell(t, n, "landscape.MustCurve")
	if w := numbers(t, curves, `(?s)pre-trained +lowest loss ([\d.]+).* a width of ([\d.]+).*from scratch +lowest loss ([\d.]+).* a width of ([\d.]+)`); w[0] >= w[2] || w[1] <= w[3] {
		t.Errorf("lowest losses and widths: %v", w)
	}
	shows(t, curves, "pre-trained", "from scratch")
	plane := cell(t, n, "plots.MustShow(landscapeplots.MustLossSurface(surface(sample)")
	way := numbers(t, plane, `(?s)step +0: α ([-\d.]+), β ([-+\d.]+).*step 100: α ([-\d.]+), β ([-+\d.]+)`)
	if way[0] != 0 || way[1] != 0 || way[2] != 1 || way[3] != 0 {
		t.Errorf("the way goes from and to %v", way)
	}
	shows(t, plane, "other end")
	turnable := cell(t, n, "MustTurnableSurface").Displayed("text/html")
	for _, needed := range []string{"<script", "<canvas"} {
		if !strings.Contains(turnable, needed) || !strings.Contains(page, needed) {
			t.Errorf("the turnable surface has no %s", needed)
		}
	}
	loadsNothing(t, turnable)
	held := cell(t, n, "stat.Correlation")
	if r := numbers(t, held, `correlate by ([-\d.]+)`)[0]; r < 0.5 {
		t.Errorf("training loss and held-out error correlate by %v", r)
	}
	shows(t, held, "held-out")
	back := cell(t, n, "MustReset")
	if g := numbers(t, back, `(?s)all as fine-tuned: loss ([\d.]+).*classifier +moved by +([\d.]+) %; reset: loss ([\d.]+)`); g[1] == 0 || g[2] <= g[0] {
		t.Errorf("the loss is %v; the classifier moved by %v %%, and without that the loss is %v", g[0], g[1], g[2])
	}
	shows(t, back, "classifier")
}

func TestLearningDynamics(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()) // no training is there yet
	n, _ := execute(t, "learning-dynamics.ipynb")
	first := cell(t, n, "func training")
	if dev := numbers(t, first, `held-out loss ([\d.]+), accuracy ([\d.]+) %`); dev[1] < 80 {
		t.Errorf("fine-tuning ends with accuracy %v %%", dev[1])
	}
	live(t, first)
	indicators := cell(t, n, "dynamics.JSDivergence")
	if jsd := numbers(t, indicators, `equal distributions ([\d.]+), of different ones ([\d.]+), of disjoint ones ([\d.]+)`); jsd[0] != 0 || jsd[1] <= 0 || jsd[2] != 0.693 {
		t.Errorf("divergences of distributions: %v", jsd)
	}
	if d := []float64{numbers(t, indicators, `turned: ([\d.]+)`)[0], numbers(t, indicators, `half noise: ([\d.]+)`)[0]}; d[0] != 0 || d[1] < 0.2 {
		t.Errorf("SVCCA distances of what was turned and of noise: %v", d)
	}
	layers := cell(t, n, "dynamics.MustCompare")
	if texts := numbers(t, layers, `(\d+) texts, (\d+) tokens`); texts[0] != 150 || texts[1] < 1280 {
		t.Errorf("compared on %v texts and tokens", texts)
	}
	if d := numbers(t, layers, `(?s)embeddings +SVCCA ([\d.]+).*layer 1 +attention [\d.]+ SVCCA ([\d.]+)`); d[0] >= d[1] {
		t.Errorf("the embeddings move by %v, the last layer by %v", d[0], d[1])
	}
	shows(t, cell(t, n, "MustDynamicsHeatMap"), "SVCCA", "Attention")
	shows(t, cell(t, n, "MustModelPairs"), "things 2")
	held := cell(t, n, "c.Freeze")
	if a := numbers(t, held, `(?s)all as fine-tuned: accuracy ([\d.]+) %.*layer 0 frozen: ([\d.]+) %.*layer 3 frozen: ([\d.]+) %`); a[1] < a[0]-20 || a[2] < a[0]-20 {
		t.Errorf("accuracies with nothing and either layer frozen: %v", a)
	}
	shows(t, held)
	followed := cell(t, n, "MustFollow")
	if p := numbers(t, followed, `(?s)step  0: probability of the answer ([\d.]+), ranked first +\d+ %, neurons shared with the start ([\d.]+).*step 60: probability of the answer ([\d.]+).* ([\d.]+)`); p[0] < 0.4 || p[1] != 1 || p[2] >= p[0] {
		t.Errorf("facts and their neurons at the start and the end: %v", p)
	}
	shows(t, followed)
}

func TestElectra(t *testing.T) {
	n, _ := execute(t, "electra.ipynb")
	drawn := numbers(t, cell(t, n, "func draw"), `(\d+) % replace nothing; mean loss ([\d.]+)\nexactly: mean ([\d.]+), standard deviation ([\d.]+)`)
	if drawn[0] < 55 || drawn[0] > 65 || math.Abs(drawn[1]-drawn[2]) > 5*drawn[3]/math.Sqrt(2000) {
		t.Errorf("%v %% correct, mean loss %v of draws, %v exactly, deviation %v", drawn[0], drawn[1], drawn[2], drawn[3])
	}
	compared := cell(t, n, "electraplots.MustEstimates")
	one := func(name string) []float64 {
		return numbers(t, compared, name+` +mean ([\d.]+) +variance ([\d.]+) +correct +(\d+) % +effective samples a draw ([\d.]+)`)
	}
	best, plain := one("p_G × loss"), one("p_G: plain ELECTRA")
	if best[1] != 0 || plain[3] != 1 || best[2] >= plain[2] {
		t.Errorf("the best proposal %v, plain sampling %v", best, plain)
	}
	for _, name := range []string{"HP_Loss: p_G × predicted loss", "HP_Dist: a learned distribution", "loss alone", "all words alike"} {
		if e := one(name); e[0] != best[0] || e[1] <= best[1] {
			t.Errorf("%s: %v, the best proposal %v", name, e, best)
		}
	}
	shows(t, compared, "p_G × loss", "loss alone")
	shows(t, cell(t, n, "electraplots.MustProposals"), "weights of at most 3")
	learned := cell(t, n, "func learn")
	start := numbers(t, learned, `after +0 draws: HP_Loss ([\d.]+), HP_Dist ([\d.]+)`)
	end := numbers(t, learned, `(?s)after 10000 draws: HP_Loss ([\d.]+), HP_Dist ([\d.]+).*bounded alike: ([\d.]+)`)
	if start[0] != 1 || start[1] != 1 || end[0] > 0.2 || end[1] > 0.4*start[1] || end[2] > min(end[0], end[1])+0.02 {
		t.Errorf("variances at first %v, after learning and at the optimum %v", start, end)
	}
	bounds := cell(t, n, "electraplots.MustBounds")
	b := numbers(t, bounds, `at most +3.0: +cut: bias ([-+\d.]+), deviation ([\d.]+), effective samples ([\d.]+) +mixed: bias ([-+\d.]+), deviation ([\d.]+), effective samples ([\d.]+)`)
	if b[0] > -0.1 || b[3] != 0 || b[1] >= b[4] {
		t.Errorf("at most 3: %v", b)
	}
	shows(t, bounds, "cut at the bound", "Largest weight")
}

// loadsNothing fails if a fragment of a page loads anything.
func loadsNothing(t *testing.T, fragment string) {
	t.Helper()
	bare := strings.ReplaceAll(fragment, `src="data:image/png;base64,`, "")
	if m := regexp.MustCompile(`src=|href=|@import|url\(`).FindString(bare); m != "" {
		t.Errorf("a fragment loads something from elsewhere: %s", m)
	}
}

// live fails unless the cell shows one chart of a training, in its last state.
func live(t *testing.T, c kernel.Cell) {
	t.Helper()
	shown := 0
	for _, o := range c.Outputs {
		if strings.Contains(string(o.Data["image/svg+xml"]), "<svg") && o.Data["image/png"] != "" {
			shown++
		}
	}
	if shown != 1 {
		t.Errorf("the training shows %d charts, want one that is drawn anew", shown)
	}
	if steps := regexp.MustCompile(`step (\d+) of (\d+)`).FindStringSubmatch(c.Displayed("image/svg+xml")); steps == nil || steps[1] != steps[2] {
		t.Errorf("the training's chart stops at %q", steps)
	}
}
