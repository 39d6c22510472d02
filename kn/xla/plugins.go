// Package xla knows where XLA's plug-ins are and whether they are sound. It
// needs neither cgo nor a plug-in, so every notebook cell can link it; what
// computes with them is package backend in a program built with -tags xla.
//
// A plug-in is a shared library of 200 MB or more that speaks PJRT
// (https://openxla.org/xla/pjrt). "go run ./install -xla" puts the one for
// the CPU into [Dir], -cuda the one for NVIDIA GPUs. Folders of your own,
// such as the one that GoMLX installs to, are named by [EnvVar] and looked
// through first.
package xla

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// EnvVar names the environment variable with the folders that are looked
// through before [Dir], separated as in PATH. GoMLX reads it too.
const EnvVar = "PJRT_PLUGIN_LIBRARY_PATH"

// The plug-ins that this module installs and chooses by itself.
const (
	CPU  = "cpu"
	CUDA = "cuda"
)

// Plugin is a plug-in's file.
type Plugin struct {
	Name string // "cpu", "cuda", or what else its file is named for
	Path string // absolute
}

// Dir is where plug-ins are installed: gonb-kn/pjrt among the user's data,
// XDG_DATA_HOME being respected. The folder may not exist.
func Dir() (string, error) {
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("xla: no home folder: %w; set HOME", err)
		}
		data = filepath.Join(home, ".local", "share")
		if runtime.GOOS == "darwin" {
			data = filepath.Join(home, "Library", "Application Support")
		}
	}
	return filepath.Join(data, "gonb-kn", "pjrt"), nil
}

// Folders lists where plug-ins are looked for, in order.
func Folders() []string {
	var folders []string
	for _, dir := range filepath.SplitList(os.Getenv(EnvVar)) {
		if dir == "" {
			continue
		}
		if abs, err := filepath.Abs(dir); err == nil {
			folders = append(folders, abs)
		}
	}
	if dir, err := Dir(); err == nil {
		folders = append(folders, dir)
	}
	return folders
}

// FileName is the name that a plug-in's file is installed under.
func FileName(plugin string) string { return "pjrt_c_api_" + plugin + "_plugin.so" }

// fileNames are the forms of names that GoMLX knows.
var fileNames = []*regexp.Regexp{
	regexp.MustCompile(`^pjrt_c_api_(.+)_plugin\.(?:so|dylib)$`),
	regexp.MustCompile(`^pjrt[-_]plugin[-_](.+)\.(?:so|dylib)$`),
}

// Plugins lists what is installed, one of each name, sorted by name. Of
// several with one name the first folder's counts.
func Plugins() []Plugin {
	var found []Plugin
	for _, dir := range Folders() {
		for _, p := range pluginsIn(dir) {
			if !slices.ContainsFunc(found, func(q Plugin) bool { return q.Name == p.Name }) {
				found = append(found, p)
			}
		}
	}
	slices.SortFunc(found, func(a, b Plugin) int { return cmp.Compare(a.Name, b.Name) })
	return found
}

// pluginsIn lists a folder's plug-ins. One that has its version in its name,
// as cpu_v1.2.3, stands behind one that has none.
func pluginsIn(dir string) []Plugin {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var plain, versioned []Plugin
	for _, entry := range entries {
		for _, form := range fileNames {
			match := form.FindStringSubmatch(entry.Name())
			if match == nil {
				continue
			}
			// Libraries that a plug-in needs are found from where the
			// file really is.
			path, err := filepath.EvalSymlinks(filepath.Join(dir, entry.Name()))
			if err != nil {
				continue
			}
			if name, _, ok := strings.Cut(match[1], "_v"); ok {
				versioned = append(versioned, Plugin{name, path})
			} else {
				plain = append(plain, Plugin{match[1], path})
			}
			break
		}
	}
	return append(plain, versioned...)
}

// Find returns the plug-in of a name. The error says where it was looked for
// and how to install it.
func Find(name string) (Plugin, error) {
	for _, p := range Plugins() {
		if p.Name == name {
			return p, nil
		}
	}
	flag := ""
	switch name {
	case CPU:
		flag = ` -xla`
	case CUDA:
		flag = ` -cuda`
	default:
		return Plugin{}, fmt.Errorf("xla: there is no plug-in %q in %s", name, strings.Join(Folders(), ", "))
	}
	return Plugin{}, fmt.Errorf("xla: there is no plug-in %q in %s: run \"go run ./install%s\" in the clone of this module, or name its folder in %s",
		name, strings.Join(Folders(), ", "), flag, EnvVar)
}

// Usable lists the names of the installed plug-ins that this machine can
// compute with, fastest first.
func Usable() []string {
	var usable []string
	for _, p := range Plugins() {
		switch {
		case p.Name == CUDA && HasGPU():
			usable = append([]string{CUDA}, usable...)
		case p.Name == CPU:
			usable = append(usable, CPU)
		}
	}
	return usable
}

// HasGPU reports whether an NVIDIA GPU's driver is there, on WSL too.
func HasGPU() bool {
	for _, pattern := range []string{"/dev/nvidia[0-9]*", "/dev/dxg"} {
		if devices, err := filepath.Glob(pattern); err == nil && len(devices) > 0 {
			return true
		}
	}
	return false
}
