package worker

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// availableMemory returns what the machine can still hand out, or what the
// control groups of this process leave of it, whichever is less.
func availableMemory() (bytes uint64, known bool) { return availableIn(os.DirFS("/")) }

func availableIn(root fs.FS) (bytes uint64, known bool) {
	if kilobytes, ok := field(root, "proc/meminfo", "MemAvailable:"); ok {
		bytes, known = kilobytes<<10, true
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy, controllers, path
		if len(parts) < 3 {
			continue
		}
		version := v1
		if parts[1] == "" {
			version = v2
		} else if !strings.Contains(","+parts[1]+",", ",memory,") {
			continue
		}
		// A limit of any group above holds, too. In a container the path may
		// be one of the machine outside; the groups that are not there have
		// no say.
		for group := path.Join(version.root, parts[2]); strings.HasPrefix(group, version.root); group = path.Dir(group) {
			if left, ok := version.left(root, group); ok && (!known || left < bytes) {
				bytes, known = left, true
			}
		}
	}
	return bytes, known
}

// hierarchy names a version of control groups' files.
type hierarchy struct{ root, limit, usage, cache string }

var (
	v1 = hierarchy{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
	v2 = hierarchy{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"}
)

// left returns what a group's limit leaves. The file cache counts as used,
// but is given up when memory is short.
func (h hierarchy) left(root fs.FS, group string) (uint64, bool) {
	limit, ok := field(root, path.Join(group, h.limit), "")
	if !ok { // no such group, or "max"
		return 0, false
	}
	usage, ok := field(root, path.Join(group, h.usage), "")
	if !ok {
		return 0, false
	}
	cache, _ := field(root, path.Join(group, "memory.stat"), h.cache)
	usage -= min(cache, usage)
	return limit - min(usage, limit), true
}

// field returns the number behind a name at the start of a line; without a
// name, the file's only number.
func field(root fs.FS, file, name string) (uint64, bool) {
	data, err := fs.ReadFile(root, file)
	if err != nil {
		return 0, false
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if name != "" && (len(words) == 0 || words[0] != name) {
			continue
		}
		if name != "" {
			words = words[1:]
		}
		if len(words) == 0 {
			return 0, false
		}
		n, err := strconv.ParseUint(words[0], 10, 64)
		return n, err == nil
	}
	return 0, false
}
