package report_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// drawing is a figure of nothing.
type drawing struct{}

func (drawing) SVG() ([]byte, error) {
	return []byte("<?xml version=\"1.0\"?>\n<svg width=\"10\"><title>Bars</title></svg>"), nil
}
func (drawing) PNG() ([]byte, error) { return []byte("\x89PNG"), nil }
func (drawing) Title() string        { return "Bars" }
func (drawing) Description() string  { return "Two bars & a line." }

const measured = `{"facts": 27738, "tiny": 0.00012345, "change": -0.29034, "a/b": [{"mean": 4.1249, "low": 3.9949, "high": 4.30}], "name": "P19 <place>"}`

// folder has one result file.
func folder(t testing.TB) string {
	t.Helper()
	return folderOf(t, measured)
}

func folderOf(t testing.TB, result string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, report.ResultsDir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, report.ResultsDir, "counts.json"), []byte(result), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// example is a report with a block of each kind.
func example(t testing.TB, dir string) *report.Report {
	t.Helper()
	const text = `# Where they are

{{$interval := index .counts "a/b" 0}}

The change is {{.counts.change | change 1}}, the error
{{.counts.tiny | significant 2}}, see [the paper]({{.paper}}).

[table facts] Facts of ` + "`a|b`" + `
| ^relation | >facts
  | >neurons | -note |
| {{.counts.name}} | {{.counts.facts}} | {{$interval | decimals 2}} | of {{.counts.name}} |
{{range .rows}}
| none | {{if eq . "first"}}–{{else}}{{$.counts.facts}}{{end}} | {{if eq . "first"}}–{{end}} | |
{{end}}

[figure bars] Bars.

[claim less] It falls.
Evidence:
{{if .rows}}By {{.counts.change | change 1}}{{end}}
Rule: below 0

[claims]

- seed: 1
- relations: {{index .counts "a/b_entries"}}
`
	s, claims, err := written(t, dir, text, report.Content{
		Data:     map[string]any{"paper": "https://example.org/a?b&c", "rows": []string{"first", "second"}},
		Figures:  report.Drawings{"bars": drawing{}},
		Verdicts: report.Verdicts{"less": report.Exceeds(report.Negated(stats.Interval{Mean: -0.29, Low: -0.3, High: -0.28}), 0)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(claims) != 1 || claims[0].ID != "less" || claims[0].Evidence.String() != "By −29.0 %" {
		t.Errorf("claims %+v", claims)
	}
	return &report.Report{Title: "A report", Subtitle: report.Text{{Text: "of nothing"}}, Sections: []report.Section{s}}
}

func contents(t testing.TB, dir, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWrite(t *testing.T) {
	dir := folder(t)
	if err := example(t, dir).Write(dir); err != nil {
		t.Fatal(err)
	}
	if n := reporttest.Traced(t, dir); n != 9 {
		t.Errorf("%d numbers are traced, want 9", n)
	}
	for name, texts := range map[string][]string{
		"report.md": {
			"# A report\n", "- [Where they are](#where-they-are)", "The change is −29.0 %, the error 0.00012, see [the paper](https://example.org/a?b&c).",
			"| relation | facts | neurons |\n| :-- | --: | --: |\n| P19 &lt;place> | 27,738 | 4.12 \\[3.99, 4.30\\] |\n| none | – | – |\n|  | 27,738 |  |\n",
			"Facts of `a\\|b`", "![Two bars & a line.](figures/bars.svg)", "1. **It falls.** **holds here.** By −29.0 %\n   - Rule: below 0\n", "- seed: 1\n",
		},
		"report.html": {
			`<td>P19 &lt;place&gt;</td>`, `<td class="right"><span data-source="counts.json#/facts" data-scale="1" title="counts.json#/facts">27,738</span></td>`,
			`<h2 id="where-they-are">`, `aria-label="Two bars &amp; a line."`, `<svg class="chart" width="10">`, `<span class="verdict">holds here</span>`, `href="https://example.org/a?b&amp;c"`,
		},
		"results/facts.csv":   {"relation,facts,neurons,neurons low,neurons high\nP19 <place>,27738,4.1249,3.9949,4.30\nnone,–,–,,\nnone,27738,,,\n"},
		"results/facts.md":    {"| P19 &lt;place> | 27,738 |"},
		"results/claims.json": {`"verdict": "holds here"`, `"counts.json#/change"`},
		"figures/bars.svg":    {"<?xml"},
		"figures/bars.png":    {"PNG"},
	} {
		got := contents(t, dir, name)
		for _, text := range texts {
			if !strings.Contains(got, text) {
				t.Errorf("%s lacks %q:\n%s", name, text, got)
			}
		}
	}
	if page := contents(t, dir, "report.html"); strings.Contains(page, "<?xml") || strings.Contains(page, "<link") || strings.Contains(page, "src=") {
		t.Error("the page is not self-contained HTML")
	}
}

// TestTracedFinds: the check of a report notices a number that is not the result's.
func TestTracedFinds(t *testing.T) {
	for name, change := range map[string][2]string{
		"another number": {">27,738<", ">27,739<"},
		"wrong rounding": {">4.12<", ">4.13<"},
		"no source":      {`<td class="right">–`, `<td class="right">4`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			if err := example(t, dir).Write(dir); err != nil {
				t.Fatal(err)
			}
			page := contents(t, dir, "report.html")
			changed := strings.Replace(page, change[0], change[1], 1)
			if changed == page {
				t.Fatalf("the page has no %q", change[0])
			}
			if err := os.WriteFile(filepath.Join(dir, "report.html"), []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			var found recorder
			reporttest.Traced(&found, dir)
			if found.errors == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}

// recorder is a test that counts errors.
type recorder struct {
	testing.TB
	errors int
}

func (r *recorder) Helper()                      {}
func (r *recorder) Errorf(string, ...any)        { r.errors++ }
func (r *recorder) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

func TestResultsSayWhatIsMissing(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, report.ResultsDir, "list.json"), []byte("[1]"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"other": "other.json", "list": "list.json: not an object"} {
		all := report.OpenResults(dir)
		all.Object(name)
		if err := all.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestFormats(t *testing.T) {
	for _, c := range []struct{ format, x, want string }{
		{"", "27738", "27,738"},
		{"", "1234567", "1,234,567"},
		{"", "7638", "7638"},
		{"", "0", "0"},
		{"decimals 2", "4.126", "4.13"},
		{"decimals 1", "-0.04", "0.0"},
		{"decimals 1", "12345.67", "12,345.7"},
		{"signed 2", "4.126", "+4.13"},
		{"percent 1", "0.9949", "99.5 %"},
		{"percentTo 2", "0.0000123", "0.0012 %"},
		{"change 1", "0.3117", "+31.2 %"},
		{"change 2", "-0.29034", "−29.03 %"},
		{"change 1", "0.0001", "0.0 %"},
		{"points 1", "-0.0749", "−7.5 points"},
		{"points 1", "0.331", "+33.1 points"},
		{"points 1", `{"mean": 0.331, "low": -0.02, "high": 0.7}`, "+33.1 points [−2.0, +70.0]"},
		{"significant 2", "0.00012345", "0.00012"},
		{"significant 3", "1450", "1450"},
		{"significant 3", "8.413", "8.41"},
		{"significant 2", "0", "0"},
		{"difference 2", "8.413", "+8.4"},
	} {
		action := "{{.counts.x}}"
		if c.format != "" {
			action = "{{.counts.x | " + c.format + "}}"
		}
		s, _, err := written(t, folderOf(t, `{"x": `+c.x+`}`), action, report.Content{})
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Text(s.Blocks[0].(report.Paragraph)).String(); got != c.want {
			t.Errorf("%s as %q is printed as %q, want %q", c.x, c.format, got, c.want)
		}
	}
}

func TestTally(t *testing.T) {
	for want, verdicts := range map[string][]report.Verdict{
		"Of 3 claims of the paper 3 hold here.":                                                            {report.Holds, report.Holds, report.Holds},
		"Of 4 claims of the paper 1 holds here, 2 do not and of 1 it cannot be told.":                      {report.Fails, report.Holds, report.Unknown, report.Fails},
		"Of 2 claims of the paper 1 holds here and 1 does not.":                                            {report.Fails, report.Holds},
		"Of 1 claims of the paper 0 hold here and of 1 it cannot be told.":                                 {report.Unknown},
		"Of 3 claims of the paper 1 holds here and 2 differ by task.":                                      {report.Differs, report.Holds, report.Differs},
		"Of 5 claims of the paper 1 holds here, 1 does not, 1 differs by task and of 2 it cannot be told.": {report.Unknown, report.Differs, report.Holds, report.Unknown, report.Fails},
	} {
		var claims report.Claims
		for _, v := range verdicts {
			claims = append(claims, report.Claim{Verdict: v})
		}
		if got := claims.Tally(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestRules(t *testing.T) {
	i := func(low, mean, high float64) stats.Interval { return stats.Interval{Mean: mean, Low: low, High: high} }
	for name, c := range map[string]struct{ got, want report.Verdict }{
		"above":                       {report.Greater(i(2, 3, 4), i(0, 1, 1.9)), report.Holds},
		"below":                       {report.Greater(i(0, 1, 1.9), i(2, 3, 4)), report.Fails},
		"nothing at all":              {report.Exceeds(i(0, 0, 0), 0), report.Fails},
		"overlap":                     {report.Greater(i(1, 2, 3), i(0, 1, 1.9)), report.Unknown},
		"above a bound":               {report.Exceeds(i(0.51, 0.6, 0.7), 0.5), report.Holds},
		"on a bound":                  {report.Exceeds(i(0.5, 0.6, 0.7), 0.5), report.Unknown},
		"below a bound":               {report.Exceeds(i(0.3, 0.4, 0.49), 0.5), report.Fails},
		"twice":                       {report.Times(i(2.1, 3, 4), 2, i(0.5, 0.8, 1)), report.Holds},
		"more, but not twice":         {report.Times(i(1.5, 1.6, 1.7), 2, i(0.9, 1, 1.1)), report.Fails},
		"twice a gain":                {report.Times(i(0.1, 0.2, 0.3), 2, i(-3, -2, -1)), report.Holds},
		"nothing twice":               {report.Times(i(-0.1, 0, 0.1), 2, i(-3, -2, -1)), report.Unknown},
		"loss":                        {report.Exceeds(report.Negated(i(-0.4, -0.3, -0.2)), 0.1), report.Holds},
		"all":                         {report.All(report.Holds, report.Holds), report.Holds},
		"one fails":                   {report.All(report.Unknown, report.Fails, report.Holds), report.Fails},
		"one cannot be told":          {report.All(report.Holds, report.Unknown), report.Unknown},
		"one differs by task":         {report.All(report.Holds, report.Differs), report.Differs},
		"differs, and fails":          {report.All(report.Differs, report.Fails, report.Unknown), report.Fails},
		"differs, and cannot be told": {report.All(report.Differs, report.Unknown), report.Unknown},
		"few cases":                   {report.Enough(9, report.Holds), report.Unknown},
		"enough cases":                {report.Enough(10, report.Fails), report.Fails},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", name, c.got, c.want)
		}
	}
}

func TestTableNeedsWholeRows(t *testing.T) {
	dir := folder(t)
	s, _, err := written(t, dir, "[table short] Short.\n| a | b |\n| one |\n", report.Content{})
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{Sections: []report.Section{s}}
	if err := r.Write(dir); err == nil || !strings.Contains(err.Error(), "table short has a row of 1 cells for 2 columns") {
		t.Errorf("error is %v", err)
	}
}
