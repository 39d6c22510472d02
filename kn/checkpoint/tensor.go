package checkpoint

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"
)

// Tensor is a dense array of float32, the last index running fastest.
type Tensor struct {
	Shape []int
	Data  []float32
}

// dtype is the storage type of a tensor in a file, under safetensors' name.
type dtype string

const (
	f64  dtype = "F64"
	f32  dtype = "F32"
	f16  dtype = "F16"
	bf16 dtype = "BF16"
)

// sizes are the bytes of one element, for every type that safetensors knows.
// Only floats are read; the others occur in tensors that are passed over.
var sizes = map[dtype]int64{
	f64: 8, f32: 4, f16: 2, bf16: 2, "F8_E4M3": 1, "F8_E5M2": 1,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

// floats says which types can be read into a Tensor.
func (d dtype) float() bool { return d == f64 || d == f32 || d == f16 || d == bf16 }

// elements is the number of elements of a shape, or -1 if that is not a
// reasonable number.
func elements(shape []int) int64 {
	n := int64(1)
	for _, d := range shape {
		if d < 0 || d > math.MaxInt32 {
			return -1
		}
		if d > 0 && n > math.MaxInt64/16/int64(d) {
			return -1
		}
		n *= int64(d)
	}
	return n
}

// littleEndian says whether float32 in memory have the byte order of the files.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// bytesOf is the memory of floats.
func bytesOf(floats []float32) []byte {
	if len(floats) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(floats))), 4*len(floats))
}

// decode converts the elements of raw, little endian, to float32.
func decode(dst []float32, raw []byte, d dtype) error {
	switch d {
	case f32:
		for i := range dst {
			dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case f64:
		for i := range dst {
			dst[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(raw[8*i:])))
		}
	case bf16:
		for i := range dst {
			dst[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	case f16:
		for i := range dst {
			dst[i] = fromHalf(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	default:
		return fmt.Errorf("its numbers are %s; only F32, F16, BF16 and F64 can be read", d)
	}
	return nil
}

// fromHalf widens an IEEE 754 half.
func fromHalf(h uint16) float32 {
	sign, exp, frac := uint32(h&0x8000)<<16, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exp {
	case 0: // zero and subnormals: frac · 2^-24
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// toHalf rounds to the nearest half, ties to even; what is too large becomes
// infinite.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000: // NaN
		return sign | 0x7e00
	case abs >= 0x477ff000: // 65520 and more
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14: a subnormal, counted in steps of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(abs))*(1<<24)))
	}
	rounded := abs + 0xfff + (abs >> 13 & 1)
	return sign | uint16(rounded>>13-112<<10)
}

// firstBad is the index of the first NaN or infinity, or -1.
func firstBad(data []float32) int {
	const exponent = 0x7f800000
	for i, f := range data {
		if math.Float32bits(f)&exponent == exponent {
			return i
		}
	}
	return -1
}
