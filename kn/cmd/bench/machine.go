package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// benchMachine is what a benchmark ran on.
type benchMachine struct {
	CPU          string `json:"cpu"`
	Instructions string `json:"instructions"` // the widest vectors that the CPU has
	Cores        int    `json:"cores"`
	Platform     string `json:"platform"`
	Go           string `json:"go"`
	SIMD         bool   `json:"simd"` // this program was built with GOEXPERIMENT=simd
	// Load is the system's load average of the last minute before the
	// benchmark, where it tells: others' work makes all times longer.
	Load string `json:"load,omitempty"`
}

func thisMachine() benchMachine {
	m := benchMachine{
		CPU: "unknown CPU", Instructions: runtime.GOARCH, Cores: runtime.NumCPU(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.readCPUInfo(string(data))
	} else if name, err := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil { // macOS
		m.CPU = strings.TrimSpace(string(name))
	}
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(data), " ")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GOEXPERIMENT" {
				m.SIMD = slices.Contains(strings.Split(s.Value, ","), "simd")
			}
		}
	}
	return m
}

// readCPUInfo takes the model and the vector instructions from Linux's
// /proc/cpuinfo.
func (m *benchMachine) readCPUInfo(text string) {
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "model name":
			m.CPU = value
		case "flags":
			has := strings.Fields(value)
			for _, set := range [][2]string{{"avx512f", "AVX-512"}, {"avx2", "AVX2"}, {"sse4_2", "SSE4.2"}} {
				if slices.Contains(has, set[0]) {
					m.Instructions = set[1]
					break
				}
			}
		}
	}
}

// String describes the machine on one line.
func (m benchMachine) String() string {
	simd := "without SIMD"
	if m.SIMD {
		simd = "with SIMD"
	}
	text := fmt.Sprintf("%s (%s), %d cores, %s, %s %s", m.CPU, m.Instructions, m.Cores, m.Platform, m.Go, simd)
	if m.Load != "" {
		text += ", load average before " + m.Load
	}
	return text
}

// peakMemory is the most memory in bytes that a running process has ever
// held at once, or 0 where the system does not tell.
func peakMemory(pid int) uint64 {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer file.Close()
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		rest, ok := strings.CutPrefix(scanner.Text(), "VmHWM:")
		if !ok {
			continue
		}
		kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return 0
		}
		return kib * 1024
	}
	return 0
}
