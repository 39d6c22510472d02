package checkpoint

import "slices"

// slot is where a tensor of [Config.Expected] lies among the stored ones. Most
// are stored as they are. Those of GPT-2 may be stored transposed, [in, out],
// and several side by side as one: that of queries, keys and values is [in, 3·out].
type slot struct {
	name       string // as stored
	shape      []int  // as stored
	transposed bool
	part, of   int // which of how many lie side by side along the last dimension
}

// slot finds the place of a tensor.
func (f *family) slot(e Expected) slot {
	s := slot{name: f.stored(e.Name), shape: e.Shape, of: 1}
	if f.layout == nil {
		return s
	}
	s.transposed, s.part, s.of = f.layout(e)
	s.shape = slices.Clone(e.Shape)
	if s.transposed {
		slices.Reverse(s.shape)
	}
	s.shape[len(s.shape)-1] *= s.of
	return s
}

// whole says whether the tensor is stored as it is.
func (s slot) whole() bool { return !s.transposed && s.of == 1 }

// in is the part of a stored tensor that lies in the slot, under the name and
// in the shape that it has here.
func (s slot) in(t stored, e Expected) stored {
	if s.whole() {
		return t
	}
	last := len(t.shape) - 1
	strides := slices.Clone(t.strides)
	if strides == nil {
		strides = packed(t.shape)
	}
	t.offset += int64(s.part) * int64(t.shape[last]/s.of) * int64(strides[last]) * sizes[t.dtype]
	if s.transposed {
		slices.Reverse(strides)
	}
	t.name += " (as " + e.Name + ")"
	t.shape, t.strides, t.extent = e.Shape, strides, sizes[t.dtype]
	for i, d := range e.Shape {
		t.extent += int64(d-1) * int64(strides[i]) * sizes[t.dtype]
	}
	if rowMajor(e.Shape, strides) {
		t.strides = nil
	}
	return t
}

// packed are the strides of a tensor without gaps whose last index runs fastest.
func packed(shape []int) []int {
	strides, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}

// put writes a tensor into its part of the stored one.
func (s slot) put(dst []float32, t Tensor) {
	width := s.shape[len(s.shape)-1]
	n := width / s.of // of the part
	dst = dst[s.part*n:]
	if !s.transposed {
		for row := 0; row*n < len(t.Data); row++ {
			copy(dst[row*width:], t.Data[row*n:(row+1)*n])
		}
		return
	}
	in := t.Shape[1]
	for i := range in {
		for o := range n {
			dst[i*width+o] = t.Data[o*in+i]
		}
	}
}
