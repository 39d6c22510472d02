//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestItems: all of them arrive, in order, however slow the client is.
func TestItems(t *testing.T) {
	c := dial(t, setUp(t))
	var numbers []int
	progress := 0.0
	must(t, c.Call(timeout(t), "items", "", Events{
		Item: func(decode func(any) error) error {
			var i item
			must(t, decode(&i))
			if !reflect.DeepEqual(i.Floats, someFloats) {
				t.Error("the floats have changed on their way")
			}
			if numbers = append(numbers, i.Number); len(numbers) == 1 {
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		},
		Progress: func(share float64) {
			if share <= progress {
				t.Errorf("progress %v after %v", share, progress)
			}
			progress = share
		},
	}))
	for i, n := range numbers {
		if n != i {
			t.Fatalf("item %d came as number %d", n, i)
		}
	}
	if len(numbers) != manyItems || progress != 1 {
		t.Errorf("%d items, progress %v", len(numbers), progress)
	}
	must(t, c.Call(timeout(t), "items", "", Events{})) // not wanted
}

// TestItemErrors: an error of the client ends the call, and the handler is told.
func TestItemErrors(t *testing.T) {
	c := dial(t, setUp(t))
	before := pid(t, c)
	file := filepath.Join(t.TempDir(), "file")
	full := errors.New("the disk is full")
	err := c.Call(timeout(t), "items until the client is gone", file, Events{Item: func(func(any) error) error { return full }})
	if err != full {
		t.Errorf("error %v", err)
	}
	appears(t, file, "gone")

	err = c.Call(timeout(t), "items", "", Events{Item: func(decode func(any) error) error { return decode(new(string)) }})
	contains(t, err, `decoding an item of "items"`)
	err = c.Call(timeout(t), "item that gob cannot encode", "", Events{})
	contains(t, err, "encoding an item")

	ctx, cancel := context.WithCancel(timeout(t))
	other := filepath.Join(t.TempDir(), "file")
	err = c.Call(ctx, "items until the client is gone", other, Events{Item: func(func(any) error) error { cancel(); return nil }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	appears(t, other, "gone")
	if pid(t, c) != before {
		t.Error("an error has ended the worker")
	}
}

// TestNoItemComesTwice: a worker that dies when it has handed over items is
// not replaced, since the caller knows what it has.
func TestNoItemComesTwice(t *testing.T) {
	c := dial(t, setUp(t))
	items := 0
	err := c.Call(timeout(t), "items and death", "", Events{Item: func(func(any) error) error { items++; return nil }})
	var died *Died
	if !errors.As(err, &died) || !errors.Is(err, ErrUnavailable) || died.Items != 3 || items != 3 || started() != 1 {
		t.Errorf("%v after %d items, %d workers started", err, items, started())
	}
	contains(t, err, "handed over 3 items", "exit status 3")
	if call(t, c, "echo", "again") != "again" {
		t.Error("no worker afterwards")
	}
}
