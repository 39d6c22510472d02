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
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	for ctx.Err() == nil {
		if err != nil { // an older kernel, or a sandbox that forbids it
			if !alive(pid) {
				return nil
			}
			sleep(ctx, look)
			continue
		}
		events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(events, int(look.Milliseconds())); n > 0 && err == nil {
			return nil
		}
	}
	return ctx.Err()
}
