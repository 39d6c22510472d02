package engine

import "sync"

// work measures the progress of an integration batch. It counts rows that pass
// a layer, forwards or backwards, and tells the share that is done. Several
// goroutines may use it at once; tell is called by one at a time.
type work struct {
	tell func(share float64)

	mutex    sync.Mutex
	expected int // a guess of all there will be, since an adaptive rule plans as it goes
	planned  int
	done     int
	told     float64
}

// expect sets how many rows are likely to be planned in all.
func (w *work) expect(rows int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.expected = rows
}

// plan adds rows that will be done.
func (w *work) plan(rows int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.planned += rows
}

// spend adds rows that are done.
func (w *work) spend(rows int) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.done += rows
	// The share falls when more is planned than was expected; that is not told.
	if share := float64(w.done) / float64(max(w.expected, w.planned)); share > w.told {
		w.told = share
		w.tell(share)
	}
}

// rows is the work of evaluating a point.
func (ib *integrationBatch) rows(pt point, gradient bool) int {
	above := max(1, len(ib.layers)-1-pt.layer)
	if gradient {
		return 2 * above
	}
	return above
}

// total is the work of attributing all samples with that many nodes a layer.
func (ib *integrationBatch) total(nodes int) int {
	rows := 2 * len(ib.layers) // the unmodified model, forwards and backwards
	for l := range ib.layers {
		rows += ib.rows(point{layer: l}, false) + nodes*ib.rows(point{layer: l}, true)
	}
	return rows * len(ib.samples)
}
