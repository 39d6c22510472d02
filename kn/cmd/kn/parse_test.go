package main

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestScanLines(t *testing.T) {
	lines, err := scanLines(strings.NewReader("\ufeffone [MASK]\r\n\r\n \t\n  two \n\u00a0\nthree"), "f")
	want := []line{{"one [MASK]", "f:1"}, {"two", "f:4"}, {"three", "f:6"}}
	if err != nil || !reflect.DeepEqual(lines, want) {
		t.Errorf("got %v, %v; want %v", lines, err, want)
	}
}

// FuzzScanLines: every line is text with something in it, and has its place.
func FuzzScanLines(f *testing.F) {
	f.Add("one\r\n\ntwo")
	f.Add("\ufeff\x00\xff")
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := scanLines(strings.NewReader(text), "f")
		if (err == nil) == (len(lines) == 0) {
			t.Fatalf("%d lines, error %v", len(lines), err)
		}
		for _, line := range lines {
			if strings.TrimSpace(line.text) != line.text || line.text == "" || !strings.Contains(text, line.text) {
				t.Errorf("line %q of %q", line.text, text)
			}
		}
	})
}

// FuzzNeurons: what is accepted is written back as the same neurons.
func FuzzNeurons(f *testing.F) {
	for _, seed := range []string{"0:13,1:14", "1:2", " 3:4 , 5:6", "1:2:3", "-1:2", ","} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second neuronsFlag
		if first.Set(text) != nil {
			return
		}
		if err := second.Set(first.String()); err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("%q is %v, written back %v, %v", text, first, second, err)
		}
		for _, n := range first {
			if n.Layer < 0 || n.Index < 0 {
				t.Errorf("%q gives %v", text, n)
			}
		}
	})
}

// FuzzFactors: what is accepted is finite, and written back the same.
func FuzzFactors(f *testing.F) {
	for _, seed := range []string{"0,0.5,1,2", "-1", "1e-9", "NaN", "Inf", "0x1p-2", "1_0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var first, second factorsFlag
		if first.Set(text) != nil {
			return
		}
		if err := second.Set(first.String()); err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("%q is %v, written back %v, %v", text, first, second, err)
		}
		for _, x := range first {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("%q gives %v", text, x)
			}
		}
	})
}
