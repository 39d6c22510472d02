package worker

import (
	"testing"
	"testing/fstest"
)

func TestAvailableInGroups(t *testing.T) {
	const meminfo = "MemTotal:       8000000 kB\nMemFree:         100000 kB\nMemAvailable:   1000000 kB\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  uint64
		known bool
	}{
		"nothing": {nil, 0, false},
		"machine": {map[string]string{"proc/meminfo": meminfo}, 1000000 << 10, true},
		"unlimited groups": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "4:cpuset,memory:/\n0::/user\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "5000000\n",
			"sys/fs/cgroup/user/memory.max": "max\n", "sys/fs/cgroup/user/memory.current": "1000\n",
		}, 1000000 << 10, true},
		"version 2, with cache": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user/job\n",
			"sys/fs/cgroup/user/job/memory.max": "900000000\n", "sys/fs/cgroup/user/job/memory.current": "800000000\n",
			"sys/fs/cgroup/user/job/memory.stat": "anon 1\ninactive_file 300000000\n",
		}, 400000000, true},
		"version 2, a group above": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user/job\n",
			"sys/fs/cgroup/user/job/memory.max": "max\n", "sys/fs/cgroup/user/job/memory.current": "1000\n",
			"sys/fs/cgroup/user/memory.max": "500000000\n", "sys/fs/cgroup/user/memory.current": "600000000\n",
		}, 0, true},
		"version 1, path of the machine outside": {map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "7:cpu:/docker/x\n4:memory:/docker/x\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "700000000\n", "sys/fs/cgroup/memory/memory.usage_in_bytes": "200000000\n",
			"sys/fs/cgroup/memory/memory.stat": "inactive_file 5\ntotal_inactive_file 100000000\n",
		}, 600000000, true},
		"damaged": {map[string]string{"proc/meminfo": "MemAvailable:\nMemAvailable: x\n", "proc/self/cgroup": "0\n\n"}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, text := range test.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if got, known := availableIn(root); got != test.want || known != test.known {
				t.Errorf("got %d, %v; want %d, %v", got, known, test.want, test.known)
			}
		})
	}
}
