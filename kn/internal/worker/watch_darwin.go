package worker

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// look is how often a watched process is looked after, where the system does
// not tell of its end, and how soon watch notices that ctx has ended.
const look = 500 * time.Millisecond

// watch returns nil when the process has ended, or ctx's error if that ends
// first. A process that has ended but was not waited for has ended.
func watch(ctx context.Context, pid int) error {
	queue, err := unix.Kqueue()
	if err == nil {
		defer unix.Close(queue)
		exit := unix.Kevent_t{Ident: uint64(pid), Filter: unix.EVFILT_PROC, Flags: unix.EV_ADD, Fflags: unix.NOTE_EXIT}
		if _, err = unix.Kevent(queue, []unix.Kevent_t{exit}, nil, nil); err == unix.ESRCH {
			return nil
		}
	}
	wait := unix.NsecToTimespec(look.Nanoseconds())
	for ctx.Err() == nil {
		if err != nil {
			if !alive(pid) {
				return nil
			}
			sleep(ctx, look)
			continue
		}
		if n, err := unix.Kevent(queue, nil, make([]unix.Kevent_t, 1), &wait); n > 0 && err == nil {
			return nil
		}
	}
	return ctx.Err()
}
