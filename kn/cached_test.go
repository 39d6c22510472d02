package kn

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

// TestPackedMatrix packs matrices, and refuses what is none.
func TestPackedMatrix(t *testing.T) {
	for _, want := range []packed{nil, {{1, -2.5, math.Pi}, {0, math.SmallestNonzeroFloat64, -math.MaxFloat64}}, {{7}}} {
		data, err := json.Marshal(want)
		var got packed
		if err == nil {
			err = json.Unmarshal(data, &got)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v became %v (%v)", want, got, err)
		}
	}
	if _, err := json.Marshal(packed{{1}, {1, 2}}); err == nil {
		t.Error("a ragged matrix was packed")
	}
	for _, bad := range []string{`""`, `"AAAA"`, `"AwAAAAAAAAAAAAAAAAAAAA=="`, `"AAAAAAAAAAAAAAAAAAAAAA=="`, `3`} {
		if err := json.Unmarshal([]byte(bad), new(packed)); err == nil {
			t.Errorf("%s was taken for a matrix", bad)
		}
	}
}
