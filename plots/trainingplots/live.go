package trainingplots

import (
	"fmt"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// redrawn is the least time between two drawings of a live chart.
const redrawn = time.Second

// LiveTraining shows a chart of loss and accuracy below the cell that is
// running, and returns what draws it anew as the training goes on: a progress
// callback of [finetune.Run]. It draws once a second at most, and at the end.
// Outside a notebook LiveTraining returns [plots.ErrNoNotebook].
func LiveTraining(options ...plots.Options) (func(finetune.Progress), error) {
	if _, err := chart.New("", "", options); err != nil {
		return nil, err
	}
	if !gonbui.IsNotebook {
		return nil, plots.ErrNoNotebook
	}
	id := "training_" + gonbui.UniqueId()
	l := live{options: options, now: time.Now, sent: chart.Sent, show: func(d *protocol.DisplayData) {
		d.DisplayID = id
		gonbui.SendData(d)
	}}
	return l.progress, nil
}

// MustLiveTraining is [LiveTraining] for notebook cells: it panics instead of returning an error.
func MustLiveTraining(options ...plots.Options) func(finetune.Progress) {
	return kn.Must(LiveTraining(options...))
}

// live is a chart that is drawn again and again.
type live struct {
	options []plots.Options
	shown   time.Time
	now     func() time.Time
	show    func(*protocol.DisplayData)
	sent    func() error
}

func (l *live) progress(p finetune.Progress) {
	last := p.Step == p.Steps
	if now := l.now(); !last && now.Sub(l.shown) < redrawn || len(p.History.Training) == 0 {
		return
	}
	f, err := newHistory(p.History, fmt.Sprintf("Fine-tuning: step %d of %d", p.Step, p.Steps), l.options)
	if err != nil {
		return // a loss that is no number ends the training, which says so
	}
	left := p.Left.Round(time.Second).String() + " left"
	if last {
		left = "done in " + p.Elapsed.Round(time.Second/10).String()
	}
	f.Subtitle = []string{fmt.Sprintf("%.3g steps a second, %s", p.Rate, left)}
	for _, panel := range f.Panels {
		panel.X.Max = float64(p.Steps)
	}
	// What the notebook keeps is the last chart. Those before it are SVG only,
	// which takes a tenth of the time.
	var d *protocol.DisplayData
	if last {
		d, err = chart.Bundle(f.Figure())
	} else {
		var svg []byte
		svg, err = f.Figure().SVG()
		d = &protocol.DisplayData{Data: map[protocol.MIMEType]any{protocol.MIMEImageSVG: string(svg), protocol.MIMETextPlain: f.Words()}}
	}
	if err != nil {
		return
	}
	l.show(d)
	if l.shown = l.now(); last {
		_ = l.sent() // without a notebook nobody sees the chart; the training goes on
	}
}
