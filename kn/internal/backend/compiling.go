package backend

import (
	"context"
	"sync"
	"time"

	"github.com/gomlx/compute"
)

// TakesAnyShape reports whether a backend makes a graph ready for a shape at once;
// others compile for seconds.
func TakesAnyShape(b compute.Backend) bool {
	return b.Capabilities().DynamicShapes == compute.DynamicShapesNative
}

// Compiling is the time that graphs were compiled in, for calls with a
// context that counts it. Those at the same time count once.
type Compiling struct {
	mutex sync.Mutex
	took  time.Duration
	until time.Time // what lies before was counted
}

type compilingKey struct{}

// CountCompiling returns a context that counts the time in which graphs are
// compiled for its calls in this process.
func CountCompiling(ctx context.Context) (context.Context, *Compiling) {
	c := new(Compiling)
	return context.WithValue(ctx, compilingKey{}, c), c
}

// Compiled says that a call which begun then, and ends now, compiled a graph.
func Compiled(ctx context.Context, begun time.Time) {
	c, ok := ctx.Value(compilingKey{}).(*Compiling)
	if !ok {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if begun.Before(c.until) {
		begun = c.until
	}
	c.until = time.Now()
	c.took += c.until.Sub(begun)
}

// Took returns the time until now.
func (c *Compiling) Took() time.Duration {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.took
}
