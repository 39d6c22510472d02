package trainingplots

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// TestLive: a chart once a second at most, always one at the end, and none of
// what cannot be drawn.
func TestLive(t *testing.T) {
	var drawn []*protocol.DisplayData
	now, sent := time.Unix(1000, 0), 0
	l := live{now: func() time.Time { return now }, show: func(d *protocol.DisplayData) { drawn = append(drawn, d) }, sent: func() error { sent++; return nil }}
	h := &finetune.History{}
	l.progress(finetune.Progress{Step: 0, Steps: 30, History: h})
	if len(drawn) != 0 {
		t.Fatal("an empty history was drawn")
	}
	for step := 1; step <= 30; step++ { // 0.3 s each
		now = now.Add(300 * time.Millisecond)
		h.Training = append(h.Training, finetune.TrainingPoint{Step: step, Loss: 1 / float64(step), Accuracy: 0.5})
		l.progress(finetune.Progress{Step: step, Steps: 30, History: h, Rate: 3.3, Left: time.Duration(30-step) * 300 * time.Millisecond})
	}
	// Steps 1, 5, 9, 13, 17, 21, 25, 29 are 1.2 s apart, and 30 is the last.
	if len(drawn) != 9 || sent != 1 {
		t.Errorf("%d charts were drawn and %d waited for, want 9 and 1", len(drawn), sent)
	}
	for i, want := range map[int]string{1: "step 5 of 30", 8: "step 30 of 30"} {
		svg, _ := drawn[i].Data[protocol.MIMEImageSVG].(string)
		if !strings.Contains(svg, want) || !strings.Contains(svg, "steps a second") {
			t.Errorf("chart %d does not say %q: %.100s", i, want, svg)
		}
		// What the notebook keeps can be seen where it is not trusted.
		if png, ok := drawn[i].Data[protocol.MIMEImagePNG].([]byte); ok != (i == 8) || ok && !bytes.HasPrefix(png, []byte("\x89PNG")) {
			t.Errorf("chart %d has a PNG: %v", i, ok)
		}
	}
	if _, err := LiveTraining(); !errors.Is(err, plots.ErrNoNotebook) {
		t.Errorf("outside a notebook: %v", err)
	}
}
