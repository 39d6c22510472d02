//go:build linux || darwin

package worker

import "testing"

// BenchmarkCall measures a small call to a worker that runs.
func BenchmarkCall(b *testing.B) {
	c := dial(b, setUp(b))
	ctx := b.Context()
	for b.Loop() {
		var answer string
		must(b, c.Call(ctx, "echo", "hello", into(&answer)))
	}
}

// BenchmarkDialCall measures finding a running worker and a small call.
func BenchmarkDialCall(b *testing.B) {
	spec := setUp(b)
	dial(b, spec)
	ctx := b.Context()
	for b.Loop() {
		c, err := Dial(ctx, spec)
		must(b, err)
		var answer string
		must(b, c.Call(ctx, "echo", "hello", into(&answer)))
	}
}

// BenchmarkStart measures starting a worker that has nothing to do first.
func BenchmarkStart(b *testing.B) {
	spec := setUp(b)
	ctx := b.Context()
	for b.Loop() {
		c, err := Dial(ctx, spec)
		must(b, err)
		if !leaveIfIdle(ctx, c.socket) {
			b.Fatal("it has not left")
		}
	}
}

// BenchmarkFloats measures an item of 30,000 float32 and 12 x 3,072 float64.
func BenchmarkFloats(b *testing.B) {
	c := dial(b, setUp(b))
	ctx := b.Context()
	for b.Loop() {
		var r floats
		must(b, c.Call(ctx, "floats", nil, into(&r)))
	}
}
