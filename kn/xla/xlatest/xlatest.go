// Package xlatest makes files for tests that look like plug-ins, so that what
// finds, checks and installs them can be tested without 200 MB.
package xlatest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"runtime"
)

// Library returns an ELF shared library that exports the functions named, for
// this machine's processor. It passes for a plug-in if GetPjrtApi is one of
// them, but nothing can be called.
func Library(functions ...string) []byte {
	const header, section, symbol = 64, 64, 24
	names := []byte{0}
	symbols := make([]byte, symbol) // the first is empty
	for _, f := range functions {
		symbols = pack(symbols, elf.Sym64{Name: uint32(len(names)), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1, Value: 64, Size: 1})
		names = append(append(names, f...), 0)
	}
	sectionNames := []byte("\x00.dynstr\x00.dynsym\x00.shstrtab\x00")
	atNames := uint64(header)
	atSymbols := atNames + uint64(len(names))
	atSectionNames := atSymbols + uint64(len(symbols))
	atSections := atSectionNames + uint64(len(sectionNames))

	machine := elf.EM_X86_64
	if runtime.GOARCH == "arm64" {
		machine = elf.EM_AARCH64
	}
	h := elf.Header64{
		Type: uint16(elf.ET_DYN), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Shoff: atSections,
		Ehsize: header, Shentsize: section, Shnum: 4, Shstrndx: 3,
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)

	file := pack(nil, h)
	file = append(append(append(file, names...), symbols...), sectionNames...)
	for _, s := range []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_STRTAB), Off: atNames, Size: uint64(len(names)), Addralign: 1},
		{Name: 9, Type: uint32(elf.SHT_DYNSYM), Off: atSymbols, Size: uint64(len(symbols)), Link: 1, Info: 1, Addralign: 1, Entsize: symbol},
		{Name: 17, Type: uint32(elf.SHT_STRTAB), Off: atSectionNames, Size: uint64(len(sectionNames)), Addralign: 1},
	} {
		file = pack(file, s)
	}
	return file
}

// pack appends a fixed-size value in the order that ELFDATA2LSB says.
func pack(to []byte, value any) []byte {
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, value) // fixed-size values do not fail
	return append(to, b.Bytes()...)
}
