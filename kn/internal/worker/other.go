//go:build !(linux || darwin)

package worker

import (
	"context"
	"runtime"
)

// Client is never made on this system.
type Client struct{}

// Dial returns [ErrUnavailable]: there are no workers on this system.
func Dial(context.Context, Spec) (*Client, error) { return nil, missing() }

// Call returns [ErrUnavailable].
func (*Client) Call(context.Context, string, any, Events) error {
	return missing()
}

// Serve returns [ErrUnavailable].
func Serve(context.Context, Options, Handler) error { return missing() }

func missing() error { return unavailablef("there are none on %s", runtime.GOOS) }
