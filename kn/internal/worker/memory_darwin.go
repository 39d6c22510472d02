package worker

import "golang.org/x/sys/unix"

// availableMemory asks the system which share of its memory it could still
// hand out.
func availableMemory() (bytes uint64, known bool) {
	total, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0, false
	}
	percent, err := unix.SysctlUint32("kern.memorystatus_level")
	if err != nil || percent > 100 {
		return 0, false
	}
	return total / 100 * uint64(percent), true
}
