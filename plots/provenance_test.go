package plots_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

func TestProvenanceRoundTrip(t *testing.T) {
	curves := factorCurves()
	curves.Answer = `<&"é日本]]>`
	curves.Provenance = kn.Provenance{
		Model: `C:\models\<naïve> & "日本" ]]> 🙂`, Digest: charttest.MadeUp.Digest, Version: "v0.1.0", Seed: math.MaxUint64,
		Options: map[string]any{"factors": []any{0.0, 0.5}, "rule": "adaptive", "everywhere": true},
	}
	f := plots.MustFactorCurves(curves)
	got, err := plots.ReadProvenance(bytes.NewReader(charttest.SVG(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	want := f.Provenance()
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("read back\n%+v\nwant\n%+v", *got, want)
	}
	if got.Chart != "factor curves" || !reflect.DeepEqual(got.Results, []kn.Provenance{curves.Provenance}) {
		t.Errorf("read back %+v", got)
	}
}

func TestProvenanceOfAll(t *testing.T) {
	for name, f := range all(plots.Options{}) {
		p, err := plots.ReadProvenance(bytes.NewReader(charttest.SVG(t, f)))
		if err != nil || p.Chart != name || !reflect.DeepEqual(*p, f.Provenance()) || p.Results[0].Digest != charttest.MadeUp.Digest {
			t.Errorf("%s: read back %+v, %v", name, p, err)
		}
	}
}

func TestProvenanceThatIsNoJSON(t *testing.T) {
	curves := factorCurves()
	curves.Provenance.Options = map[string]any{"tolerance": math.NaN()}
	if _, err := plots.MustFactorCurves(curves).SVG(); err == nil || !strings.Contains(err.Error(), "JSON") {
		t.Errorf("got %v", err)
	}
}

func TestReadProvenanceOfOthers(t *testing.T) {
	for _, svg := range []string{"", "<svg/>", `<svg><metadata><provenance>{}</provenance></metadata></svg>`} {
		if _, err := plots.ReadProvenance(strings.NewReader(svg)); !errors.Is(err, plots.ErrNoProvenance) {
			t.Errorf("%q: %v, want ErrNoProvenance", svg, err)
		}
	}
	good := string(charttest.SVG(t, plots.MustFactorCurves(factorCurves())))
	for _, svg := range []string{"<svg", "no <svg> at </all>", good[:strings.Index(good, "digest")], strings.Replace(good, "factor curves", `" `, 2)} {
		if _, err := plots.ReadProvenance(strings.NewReader(svg)); err == nil || errors.Is(err, plots.ErrNoProvenance) {
			t.Errorf("%.40q: %v, want an error that says it is damaged", svg, err)
		}
	}
}

func FuzzReadProvenance(f *testing.F) {
	svg, err := plots.MustFactorCurves(factorCurves()).SVG()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(svg)
	f.Add(svg[:len(svg)/2])
	f.Add([]byte("<svg/>"))
	f.Fuzz(func(t *testing.T, svg []byte) {
		p, err := plots.ReadProvenance(bytes.NewReader(svg))
		if (p == nil) == (err == nil) {
			t.Errorf("got %v and %v", p, err)
		}
	})
}
