package checkpoint

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Progress is told, now and then and from any goroutine, how far a step is.
// done and total are bytes; total is 0 while it is not known.
type Progress func(step string, done, total int64)

func (p Progress) report(step string, done, total int64) {
	if p != nil {
		p(step, done, total)
	}
}

// stored is a tensor that lies in a file.
type stored struct {
	name    string // as in the file
	file    string // for messages
	dtype   dtype
	shape   []int
	strides []int // in elements; nil: row-major without gaps
	from    io.ReaderAt
	offset  int64 // of the first element, in bytes
	extent  int64 // bytes from the first element to the end of the last
}

// sameAs says whether two tensors are the same bytes of the same file.
func (s stored) sameAs(o stored) bool {
	return s.from == o.from && s.offset == o.offset && s.dtype == o.dtype &&
		slices.Equal(s.shape, o.shape) && slices.Equal(s.strides, o.strides)
}

// chunk is the number of elements that are read at a time: large enough to
// read fast, small enough to share the work out evenly.
const chunk = 1 << 20

// readAll reads tensors in parallel. Weights are held once: F32 is read
// straight into the result, other types through a buffer of a chunk. places
// are where the first tensors are to be put; the others get memory of their own.
func readAll(ctx context.Context, tensors []stored, places [][]float32, step string, progress Progress) ([]Tensor, error) {
	out := make([]Tensor, len(tensors))
	var total, done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(2, min(8, runtime.GOMAXPROCS(0))))
	for _, s := range tensors {
		total.Add(elements(s.shape) * sizes[s.dtype])
	}
	var mu sync.Mutex // progress callbacks come one at a time
	for i, s := range tensors {
		if out[i].Shape = s.shape; i < len(places) {
			out[i].Data = places[i]
		} else {
			out[i].Data = make([]float32, elements(s.shape))
		}
		size := chunk
		if s.byColumns() {
			size = max(1, chunk/s.shape[1]) * s.shape[1] // whole rows
		}
		for first := 0; first < len(out[i].Data); first += size {
			data := out[i].Data[first:min(first+size, len(out[i].Data))]
			g.Go(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := s.readChunk(data, first); err != nil {
					return fmt.Errorf("%s: tensor %s: %w", s.file, s.name, err)
				}
				if bad := firstBad(data); bad >= 0 {
					return fmt.Errorf("%s: tensor %s: element %d is %v; the weights are damaged or the training diverged: get or train them again",
						s.file, s.name, first+bad, data[bad])
				}
				mu.Lock()
				defer mu.Unlock()
				progress.report(step, done.Add(int64(len(data))*sizes[s.dtype]), total.Load())
				return nil
			})
		}
	}
	return out, g.Wait()
}

// readChunk reads the elements from first on into data.
func (s stored) readChunk(data []float32, first int) error {
	switch {
	case s.byColumns():
		return s.transpose(data, first)
	case s.strides != nil:
		return s.gather(data, first)
	}
	return s.run(data, first)
}

// run reads elements that lie one behind the other, from the at'th on.
func (s stored) run(data []float32, at int) error {
	size := sizes[s.dtype]
	if s.dtype == f32 && littleEndian {
		return readFull(s.from, bytesOf(data), s.offset+int64(at)*size)
	}
	raw := make([]byte, int64(len(data))*size)
	if err := readFull(s.from, raw, s.offset+int64(at)*size); err != nil {
		return err
	}
	return decode(data, raw, s.dtype)
}

// byColumns says whether a matrix is stored as its transpose is in memory.
func (s stored) byColumns() bool {
	return len(s.shape) == 2 && s.shape[1] > 0 && len(s.strides) == 2 && s.strides[0] == 1
}

// transpose reads whole rows of a matrix that is stored by columns. As many
// columns are read at a time as fill a cache line with what they have of a row.
func (s stored) transpose(data []float32, first int) error {
	const band = 16
	columns := s.shape[1]
	row, rows := first/columns, len(data)/columns
	read := make([]float32, band*rows)
	for left := 0; left < columns; left += band {
		n := min(band, columns-left)
		for i := range n {
			if err := s.run(read[i*rows:(i+1)*rows], row+(left+i)*s.strides[1]); err != nil {
				return err
			}
		}
		for r := range rows {
			for i := range n {
				data[r*columns+left+i] = read[i*rows+r]
			}
		}
	}
	return nil
}

// gather reads a tensor that lies in no simple order. It is rare, so the whole
// extent is read.
func (s stored) gather(data []float32, first int) error {
	size := sizes[s.dtype]
	raw := make([]byte, s.extent)
	if err := readFull(s.from, raw, s.offset); err != nil {
		return err
	}
	for i := range data {
		at, rest := int64(0), first+i
		for d := len(s.shape) - 1; d >= 0; d-- {
			at += int64(rest%s.shape[d]) * int64(s.strides[d])
			rest /= s.shape[d]
		}
		if err := decode(data[i:i+1], raw[at*size:], s.dtype); err != nil {
			return err
		}
	}
	return nil
}

func readFull(r io.ReaderAt, buf []byte, offset int64) error {
	n, err := r.ReadAt(buf, offset)
	if n == len(buf) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("cannot read %d bytes at %d: %w", len(buf), offset, err)
}
