package worker

import (
	"math"
	"reflect"
	"testing"
)

func TestRaw(t *testing.T) {
	for _, want := range []Raw[float64]{{}, {0}, {1, -2.5, math.Inf(1), math.SmallestNonzeroFloat64}} {
		data, err := want.GobEncode()
		if err != nil || len(data) != 8*len(want) {
			t.Fatalf("%d bytes, %v", len(data), err)
		}
		var got Raw[float64]
		if err := got.GobDecode(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	}
	var r Raw[float32]
	if err := r.GobDecode(make([]byte, 6)); err == nil {
		t.Error("6 bytes were taken for float32 numbers")
	}
}
