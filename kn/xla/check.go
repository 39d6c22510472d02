package xla

import (
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// entryPoint is the function that every plug-in exports.
const entryPoint = "GetPjrtApi"

// Check reads a plug-in's tables: whether it is a whole shared library for
// this kind of processor, and a plug-in at all. Loading one that is cut
// short would kill the process. It takes milliseconds and runs nothing of it.
func (p Plugin) Check() error {
	symbols, err := exported(p.Path)
	if err == nil && !slices.Contains(symbols, entryPoint) {
		err = fmt.Errorf("it does not export %s", entryPoint)
	}
	if err != nil {
		return fmt.Errorf("xla: %s is not a whole plug-in: %w: remove it and run \"go run ./install -xla\" (or -cuda) again", p.Path, err)
	}
	return nil
}

// exported lists the functions that a shared library exports.
func exported(path string) ([]string, error) {
	if runtime.GOOS == "darwin" {
		f, err := macho.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		var names []string
		if f.Symtab != nil {
			for _, s := range f.Symtab.Syms {
				names = append(names, strings.TrimPrefix(s.Name, "_"))
			}
		}
		return names, nil
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if want, ok := machines[runtime.GOARCH]; ok && f.Machine != want {
		return nil, fmt.Errorf("it is for %v, this machine is %v", f.Machine, want)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range symbols {
		if s.Section != elf.SHN_UNDEF {
			names = append(names, s.Name)
		}
	}
	return names, nil
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// LinkedIn reports whether a Go program was built with -tags xla, without
// running it. It is false for what is no Go program.
func LinkedIn(program string) bool {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-tags" {
			return slices.Contains(strings.Split(s.Value, ","), "xla")
		}
	}
	return false
}
