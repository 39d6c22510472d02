//go:build linux || darwin

package worker_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// A cell asks the worker, and computes by itself where there is none. (In
// this package's tests, the test program is the worker, too.)
func ExampleDial() {
	ctx := context.Background()
	program, _ := os.Executable()
	var answer string
	client, err := worker.Dial(ctx, worker.Spec{Program: program, Key: "example", Kernel: os.Getpid()})
	if err == nil {
		err = client.Call(ctx, "echo", "computed by the worker", worker.Events{
			Item: func(decode func(any) error) error { return decode(&answer) },
		})
	}
	if errors.Is(err, worker.ErrUnavailable) {
		answer, err = "computed in process", nil
	}
	fmt.Println(answer, err)
	// Output: computed by the worker <nil>
}

// The program that a client starts serves what its handler computes.
func ExampleServe() {
	options, ok := worker.FromEnvironment()
	if !ok {
		fmt.Println("this program is started by others, as a worker")
		return
	}
	options.Idle = time.Hour
	err := worker.Serve(context.Background(), options, func(ctx context.Context, call worker.Call) error {
		var numbers []float64
		if err := call.Decode(&numbers); err != nil {
			return err
		}
		sum := 0.0
		for i, x := range numbers {
			sum += x
			call.Progress(float64(i+1) / float64(len(numbers)))
		}
		return call.Emit(sum)
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output: this program is started by others, as a worker
}
