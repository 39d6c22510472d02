package cli

import "errors"

// withStatus is an error with an exit status of its own.
type withStatus struct {
	error
	status int
}

func (w withStatus) Unwrap() error { return w.error }

// WithStatus gives an error an exit status other than [ExitFailure], where a
// script must tell one failure from another.
func WithStatus(err error, status int) error { return withStatus{err, status} }

// statusOf is the exit status that an error has.
func statusOf(err error) int {
	var w withStatus
	if errors.As(err, &w) {
		return w.status
	}
	return ExitFailure
}
