package engine

import "sync"

// work counts what attributing a group of samples takes, in rows that pass a
// layer in one direction, and tells the share that is done. It may be used by
// several goroutines at once; tell is called by one at a time.
type work struct {
	tell func(share float64)

	mutex sync.Mutex
	// expected is a guess of all there will be, before it is planned: how many
	// nodes an adaptive rule takes shows only when it has seen some.
	expected, planned, done int
	told                    float64
}

// expect sets what is likely to be planned in all.
func (w *work) expect(rows int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.expected = rows
}

// plan adds what is certain to be done.
func (w *work) plan(rows int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.planned += rows
}

// spend says that some of it is done.
func (w *work) spend(rows int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.done += rows
	// More may be planned than was expected, but what was told stays true.
	if share := float64(w.done) / float64(max(w.expected, w.planned)); share > w.told {
		w.told = share
		w.tell(share)
	}
}

// rows is what evaluating a point takes.
func (p *paths) rows(pt point, gradient bool) int {
	above := max(1, len(p.layers)-1-pt.layer)
	if gradient {
		return 2 * above
	}
	return above
}

// total is what attributing all samples takes when every layer needs so many
// nodes.
func (p *paths) total(nodes int) int {
	rows := 2 * len(p.layers) // the unmodified model, forwards and backwards
	for l := range p.layers {
		rows += p.rows(point{layer: l}, false) + nodes*p.rows(point{layer: l}, true)
	}
	return rows * len(p.samples)
}
