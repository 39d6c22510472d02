package landscape

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
)

// Trajectory projects a training's checkpoints, in the order of their steps, onto
// the plane through theta0, theta1 and theta2, or onto the line through theta0
// and theta1 where theta2 is "". The grid of o is not used.
func Trajectory(ctx context.Context, theta0, theta1, theta2 string, checkpoints []dynamics.Checkpoint, o Options) (*Path, error) {
	if len(checkpoints) == 0 {
		return nil, errors.New("landscape: there is no checkpoint to project; let fine-tuning keep some")
	}
	names := []string{theta0, theta1}
	if theta2 != "" {
		names = append(names, theta2)
	}
	s, err := openSpace(ctx, names, o)
	if err != nil {
		return nil, err
	}
	s.loaded = map[string]*checkpoint.Checkpoint{}
	path := &Path{Provenance: s.provenance("trajectory", o)}
	if path.Plane, err = s.plane(ctx, o.Group); err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = notebook.Step()
	}
	for i, c := range checkpoints {
		if i > 0 && c.Step <= checkpoints[i-1].Step {
			return nil, fmt.Errorf("landscape: checkpoint %s of step %d comes after step %d; list them in the order of their steps", c.Model, c.Step, checkpoints[i-1].Step)
		}
		at, err := openSpace(ctx, names, o, c.Model)
		if err != nil {
			return nil, err
		}
		at.loaded = s.loaded
		l, err := at.lengths(ctx, o.Group)
		if err != nil {
			return nil, err
		}
		p, err := l.project()
		if err != nil {
			return nil, fmt.Errorf("landscape: %s and %s: %w", theta1, theta2, err)
		}
		p.Step = c.Step
		path.Points = append(path.Points, p)
		if o.Progress != nil {
			o.Progress(i+1, len(checkpoints), "projecting checkpoints")
		}
	}
	return path, nil
}

// MustTrajectory is [Trajectory] for notebook cells: it panics instead of returning an error.
func MustTrajectory(ctx context.Context, theta0, theta1, theta2 string, checkpoints []dynamics.Checkpoint, o Options) *Path {
	return kn.Must(Trajectory(ctx, theta0, theta1, theta2, checkpoints, o))
}

// lengths are the inner products of what leads from a space's first point to the
// others: Gram[i][j] = δi+1 · δj+1.
type lengths struct {
	Start float64     `json:"start"` // |θ0|²
	Gram  [][]float64 `json:"gram"`
}

// lengths finds the inner products within a group of parameters (nil: all) in
// the cache, or computes and keeps them.
func (s *space) lengths(ctx context.Context, group *Group) (lengths, error) {
	var l lengths
	var of []string
	if group != nil {
		of = group.Tensors
	}
	key, err := cache.Key("landscape lengths", s.digests, of)
	if err != nil {
		return l, err
	}
	if s.store.Get(key, &l) {
		return l, nil
	}
	points := make([]*checkpoint.Checkpoint, len(s.folders))
	for i, folder := range s.folders {
		if points[i] = s.loaded[s.digests[i]]; points[i] != nil {
			continue
		}
		if points[i], err = folder.Load(ctx, nil); err != nil {
			return l, err
		}
		if s.loaded != nil && i < 3 {
			s.loaded[s.digests[i]] = points[i]
		}
	}
	var names []string
	for _, name := range tensorsOf(s.config) {
		if group == nil || group.has(name) {
			names = append(names, name)
		}
	}
	if s.foreign {
		points[2] = withHeadOf(points[0], points[2])
	}
	if l, err = lengthsOf(points, names); err != nil {
		return l, err
	}
	(&teller{}).keep(s.store, key, l)
	return l, nil
}

// withHeadOf is a checkpoint with the classifier of another one.
func withHeadOf(head, c *checkpoint.Checkpoint) *checkpoint.Checkpoint {
	both := *c
	both.Tensors = maps.Clone(c.Tensors)
	for name, t := range head.Tensors {
		if isClassifier(name) {
			both.Tensors[name] = t
		}
	}
	return &both
}

// lengthsOf computes the inner products over some tensors, in float64.
func lengthsOf(points []*checkpoint.Checkpoint, names []string) (lengths, error) {
	parts := make([]lengths, len(names))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, name := range names {
		group.Go(func() error {
			var data [][]float32
			for _, p := range points {
				data = append(data, p.Tensors[name].Data)
			}
			parts[i] = lengthsIn(data)
			return nil
		})
	}
	_ = group.Wait() // nothing fails
	sum := newLengths(len(points) - 1)
	for _, p := range parts { // in order, so that the sum is the same on any number of cores
		sum.add(p)
	}
	if bad := sum.Start; math.IsNaN(bad) || math.IsInf(bad, 0) {
		return sum, fmt.Errorf("landscape: %s has weights that are no numbers", points[0].Source)
	}
	for i, row := range sum.Gram {
		if math.IsNaN(row[i]) || math.IsInf(row[i], 0) {
			return sum, fmt.Errorf("landscape: %s has weights that are no numbers", points[i+1].Source)
		}
	}
	return sum, nil
}

func newLengths(n int) lengths {
	l := lengths{Gram: make([][]float64, n)}
	for i := range l.Gram {
		l.Gram[i] = make([]float64, n)
	}
	return l
}

func (l *lengths) add(m lengths) {
	l.Start += m.Start
	for i, row := range m.Gram {
		for j, v := range row {
			l.Gram[i][j] += v
		}
	}
}

// lengthsIn computes the inner products of one tensor, given at each point.
func lengthsIn(data [][]float32) lengths {
	l := newLengths(len(data) - 1)
	d := make([]float64, len(l.Gram))
	for k, x := range data[0] {
		l.Start += float64(x) * float64(x)
		for i := range d {
			d[i] = float64(data[i+1][k]) - float64(x)
			for j := range i + 1 {
				l.Gram[i][j] += d[i] * d[j]
			}
		}
	}
	for i := range d {
		for j := range i {
			l.Gram[j][i] = l.Gram[i][j]
		}
	}
	return l
}

// norm is |δi+1|.
func (l lengths) norm(i int) float64 { return math.Sqrt(l.Gram[i][i]) }

// cosine is that of the angle between δ1 and δ2; 0 if one of them is 0.
func (l lengths) cosine() float64 {
	if n := l.norm(0) * l.norm(1); n > 0 {
		return l.Gram[0][1] / n
	}
	return 0
}

// moved is |δ1|/|θ0|, or |δ1| where θ0 is 0.
func (l lengths) moved() float64 {
	if l.Start == 0 {
		return l.norm(0)
	}
	return l.norm(0) / math.Sqrt(l.Start)
}

// parallel is the sine of the angle below which two directions span no plane.
const parallel = 1e-4

// project gives the last point's coordinates in the others' directions, by least
// squares: the solution of Σ_j Gram[i][j] x_j = δi · d.
func (l lengths) project() (p PathPoint, err error) {
	last := len(l.Gram) - 1
	g, d := l.Gram, l.Gram[last]
	p.Distance = l.norm(last)
	switch {
	case last == 1 && g[0][0] > 0:
		p.Alpha = d[0] / g[0][0]
	case last == 2 && g[0][0]*g[1][1]-g[0][1]*g[0][1] > parallel*parallel*g[0][0]*g[1][1]:
		det := g[0][0]*g[1][1] - g[0][1]*g[0][1]
		p.Alpha = (d[0]*g[1][1] - d[1]*g[0][1]) / det
		p.Beta = (d[1]*g[0][0] - d[0]*g[0][1]) / det
	default:
		return p, errors.New("the directions to them span no plane: one does not move, or both lead the same way")
	}
	p.Explained = 1
	if d[last] > 0 {
		p.Explained = min(1, max(0, (p.Alpha*d[0]+p.Beta*d[1])/d[last]))
	}
	return p, nil
}

// Checkpoints lists the classifiers that a fine-tuning kept in its folder, by the
// record that is there, as [Trajectory] takes them; the last is the result itself.
func Checkpoints(dir string) ([]dynamics.Checkpoint, error) {
	record, err := finetune.ReadRecord(dir)
	if err != nil {
		return nil, err
	}
	var all []dynamics.Checkpoint
	for _, step := range record.Checkpoints {
		if step < record.Steps {
			all = append(all, dynamics.Checkpoint{Step: step, Model: finetune.CheckpointDir(dir, step)})
		}
	}
	return append(all, dynamics.Checkpoint{Step: record.Steps, Model: dir}), nil
}

// MustCheckpoints is [Checkpoints] for notebook cells: it panics instead of returning an error.
func MustCheckpoints(dir string) []dynamics.Checkpoint {
	return kn.Must(Checkpoints(dir))
}
