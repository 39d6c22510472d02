package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

func dtypeSize(s storage) int64 { return sizes[s.dtype] }

func littleInt64(b [8]byte) int64 { return int64(binary.LittleEndian.Uint64(b[:])) }

// persistentStorage reads ("storage", class, key, location, elements, ...).
func persistentStorage(id tuple) (any, error) {
	wrong := fmt.Errorf("it refers to something that is not a tensor's storage; %w", errAgain)
	if len(id) < 5 || id[0] != "storage" || len(id) > 5 && id[5] != nil {
		return nil, wrong
	}
	class, ok1 := id[1].(global)
	key, ok2 := id[2].(string)
	size, ok3 := id[4].(int64)
	d, ok4 := storageTypes[class]
	if !ok1 || !ok2 || !ok3 || !ok4 || size < 0 || size > math.MaxInt64/16 {
		return nil, wrong
	}
	return storage{d, key, size}, nil
}

// views turns an unpickled state dictionary into tensors; find says where a
// storage lies.
func views(state any, find func(storage) (run, error)) ([]stored, error) {
	d, ok := state.(*dict)
	if !ok {
		return nil, fmt.Errorf("it holds %T rather than a dictionary of tensors; save the model's state_dict()", state)
	}
	out := make([]stored, 0, len(d.keys))
	seen := map[string]bool{}
	for i, key := range d.keys {
		name, ok1 := key.(string)
		v, ok2 := d.values[i].(view)
		if !ok1 || !ok2 {
			return nil, fmt.Errorf("its entry %v is not a tensor; save the model's state_dict() alone", key)
		}
		if seen[name] {
			return nil, fmt.Errorf("tensor %s comes twice; %w", name, errAgain)
		}
		seen[name] = true
		where, err := find(v.of)
		if err == nil {
			var s stored
			if s, err = v.stored(where); err == nil {
				s.name = name
				out = append(out, s)
				continue
			}
		}
		return nil, fmt.Errorf("tensor %s: %w", name, err)
	}
	return out, nil
}

// stored places a view in the file, if it lies within its storage.
func (v view) stored(where run) (stored, error) {
	size := sizes[v.of.dtype]
	n := elements(v.shape)
	if n < 0 || v.offset < 0 {
		return stored{}, fmt.Errorf("its shape is %v at %d; %w", v.shape, v.offset, errAgain)
	}
	last := int64(0) // distance of the last element from the first
	for i, d := range v.shape {
		if v.strides[i] < 0 || v.strides[i] > math.MaxInt32 {
			return stored{}, fmt.Errorf("its strides are %v; %w", v.strides, errAgain)
		}
		last += int64(max(0, d-1)) * int64(v.strides[i])
	}
	extent := min(n, 1) * (last + 1)
	if n > extent || extent > where.length/size || v.offset > where.length/size-extent {
		return stored{}, fmt.Errorf("shape %v with strides %v does not fit its storage of %d bytes; %w", v.shape, v.strides, where.length, errAgain)
	}
	s := stored{dtype: v.of.dtype, shape: v.shape, offset: where.offset + v.offset*size, extent: extent * size}
	if !rowMajor(v.shape, v.strides) {
		s.strides = slices.Clone(v.strides)
	}
	return s, nil
}

// rowMajor says whether the last index runs fastest, without gaps.
func rowMajor(shape, strides []int) bool {
	want := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] != 1 && strides[i] != want {
			return false
		}
		want *= shape[i]
	}
	return true
}
