package kernel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// checkXLA looks at each plug-in, and lets the kn command compute with it.
func (p Paths) checkXLA(ctx context.Context) []Finding {
	var findings []Finding
	for _, plugin := range xla.Plugins() {
		if plugin.Name == xla.CPU || plugin.Name == xla.CUDA {
			findings = append(findings, p.checkPlugin(ctx, plugin))
		}
	}
	if len(findings) == 0 {
		return []Finding{{What: "XLA", Found: "not installed; \"go run ./install -xla\" makes large models quicker"}}
	}
	return findings
}

func (p Paths) checkPlugin(ctx context.Context, plugin xla.Plugin) Finding {
	f := Finding{What: "XLA, " + plugin.Name, Found: plugin.Path}
	if f.Fault = plugin.Check(); f.Fault != nil {
		return f
	}
	if !xla.LinkedIn(p.Program("kn")) {
		f.Advice = "the kn command was built without XLA: run \"go run ./install -xla\""
		return f
	}
	if !slices.Contains(xla.Usable(), plugin.Name) {
		f.Advice = "there is no NVIDIA GPU, or no driver for it, so it is not used"
		return f
	}
	start := time.Now()
	got, err := p.predict(ctx, "xla:"+plugin.Name)
	if err != nil {
		f.Fault = fmt.Errorf("kn cannot compute with %s: %w", plugin.Path, err)
		return f
	}
	seconds := time.Since(start).Seconds()
	want, err := p.predict(ctx, "go")
	if err == nil {
		err = sameWithin(got, want, 1e-4)
	}
	if err != nil {
		f.Fault = fmt.Errorf("the embedded model predicts otherwise with %s than on the Go backend: %w: do not use this plug-in", plugin.Path, err)
		return f
	}
	f.Found = fmt.Sprintf("%s, the embedded model predicts as on the Go backend (%.1f s)", plugin.Path, seconds)
	return f
}

// prediction is a token with its probability.
type prediction struct {
	Token       string
	Probability float64
}

// predict lets the kn command predict with the embedded model, on a backend
// or, if that is "", on the one of the environment.
func (p Paths) predict(ctx context.Context, backend string) ([]prediction, error) {
	env := append(os.Environ(), "KN_CACHE=off")
	if backend != "" {
		env = append(env, "KN_BACKEND="+backend)
	}
	cmd := exec.CommandContext(ctx, p.Program("kn"), "predict", "--model", "mini", "--prompt", "[MASK]", "--json")
	var said bytes.Buffer
	cmd.Env, cmd.Stderr = env, &said // a plug-in may log to stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, lastLines(said.String(), 25))
	}
	var result struct{ Predictions []prediction }
	if err := json.Unmarshal(out, &result); err != nil {
		return nil, err
	}
	if len(result.Predictions) == 0 {
		return nil, fmt.Errorf("the embedded model predicts nothing")
	}
	return result.Predictions, nil
}

// sameWithin compares two predictions.
func sameWithin(got, want []prediction, tolerance float64) error {
	for i := range want {
		if i >= len(got) || got[i].Token != want[i].Token || math.Abs(got[i].Probability-want[i].Probability) > tolerance {
			return fmt.Errorf("%v against %v", got, want)
		}
	}
	return nil
}
