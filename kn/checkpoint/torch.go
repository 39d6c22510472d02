package checkpoint

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// readTorch lists the tensors of a file written by torch.save: a zip archive
// since PyTorch 1.6, a row of pickles followed by the numbers before.
func readTorch(r io.ReaderAt, size int64, file string) ([]stored, error) {
	var head [4]byte
	err := readFull(r, head[:], 0)
	var tensors []stored
	switch {
	case err != nil || size < 8:
		err = fmt.Errorf("%d bytes are too few; %w", size, errAgain)
	case bytes.HasPrefix(head[:], []byte("PK\x03\x04")):
		tensors, err = readTorchZip(r, size)
	case head[0] == 0x80:
		tensors, err = readTorchLegacy(r, size)
	default:
		err = fmt.Errorf("it is neither a zip archive nor a pickle, as torch.save writes; %w", errAgain)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for i := range tensors {
		tensors[i].file, tensors[i].from = file, r
	}
	return tensors, nil
}

// maxProgram bounds data.pkl, whose compression could hide any amount.
const maxProgram = 64 << 20

// run is where a storage's numbers lie in the file, in bytes.
type run struct{ offset, length int64 }

// readTorchZip reads the newer format: data.pkl, and one entry per storage.
func readTorchZip(r io.ReaderAt, size int64) ([]stored, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", err, errAgain)
	}
	entries := map[string]*zip.File{}
	program := ""
	for _, e := range archive.File {
		entries[e.Name] = e
		if path.Base(e.Name) == "data.pkl" && strings.Count(e.Name, "/") <= 1 {
			program = e.Name
		}
	}
	if program == "" {
		return nil, errors.New("the archive holds no data.pkl, so it was not written by torch.save; get the model as model.safetensors")
	}
	prefix := strings.TrimSuffix(program, "data.pkl")
	if err := checkByteOrder(entries[prefix+"byteorder"]); err != nil {
		return nil, err
	}
	pickled, err := entries[program].Open()
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w; %w", err, errAgain)
	}
	defer pickled.Close()
	state, err := unpickle(&input{r: bufio.NewReader(io.LimitReader(pickled, maxProgram))}, persistentStorage)
	if err != nil {
		return nil, err
	}
	return views(state, func(s storage) (run, error) { return entryRun(entries[prefix+"data/"+s.key], s.key, size) })
}

// entryRun finds a storage that is an entry of the archive.
func entryRun(e *zip.File, key string, size int64) (run, error) {
	if e == nil {
		return run{}, fmt.Errorf("the archive lacks its numbers (data/%s); %w", key, errAgain)
	}
	if e.Method != zip.Store {
		return run{}, errors.New("its numbers are compressed, which torch.save never does; get the file again")
	}
	offset, err := e.DataOffset()
	length := int64(min(e.UncompressedSize64, uint64(size)))
	if err != nil || offset < 0 || offset > size-length {
		return run{}, fmt.Errorf("its numbers lie outside the file; %w", errAgain)
	}
	return run{offset, length}, nil
}

func checkByteOrder(e *zip.File) error {
	if e == nil {
		return nil
	}
	r, err := e.Open()
	if err != nil {
		return fmt.Errorf("byteorder: %w; %w", err, errAgain)
	}
	defer r.Close()
	order, err := io.ReadAll(io.LimitReader(r, 16))
	if err != nil {
		return fmt.Errorf("byteorder: %w; %w", err, errAgain)
	}
	if string(order) != "little" {
		return fmt.Errorf("its byte order is %q; only little endian can be read: save the model again as safetensors", order)
	}
	return nil
}

// torchMagic is the number 0x1950a86a20f9469cfc6c that older files begin with.
const torchMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"

// readTorchLegacy reads the older format: the pickles of a magic number, a
// version, facts about the machine, the state, and the storages' keys; then
// for each key the number of elements (8 bytes) and the numbers.
func readTorchLegacy(r io.ReaderAt, size int64) ([]stored, error) {
	in := &input{r: bufio.NewReader(io.NewSectionReader(r, 0, size))}
	if err := legacyHeader(in); err != nil {
		return nil, err
	}
	sizes := map[string]storage{}
	state, err := unpickle(in, func(id tuple) (any, error) {
		v, err := persistentStorage(id)
		if s, ok := v.(storage); ok {
			sizes[s.key] = s
		}
		return v, err
	})
	if err != nil {
		return nil, err
	}
	keys, err := unpickle(in, persistentStorage)
	if err != nil {
		return nil, err
	}
	runs, err := legacyRuns(r, in.n, size, keys, sizes)
	if err != nil {
		return nil, err
	}
	return views(state, func(s storage) (run, error) {
		where, ok := runs[s.key]
		if !ok {
			return run{}, fmt.Errorf("the file lacks its numbers (key %s); %w", s.key, errAgain)
		}
		return where, nil
	})
}

// legacyHeader reads the pickles before the state.
func legacyHeader(in *input) error {
	magic, err := unpickle(in, persistentStorage)
	if err != nil {
		return err
	}
	if magic != torchMagic {
		return errors.New("it is a pickle, but not one that torch.save wrote; get the model as model.safetensors")
	}
	version, err := unpickle(in, persistentStorage)
	if err == nil && version != int64(1001) {
		err = fmt.Errorf("version %v of torch's format; only 1001 is known", version)
	}
	if err != nil {
		return err
	}
	_, err = unpickle(in, persistentStorage) // facts about the machine
	return err
}

// legacyRuns finds the storages, which follow each other from at on.
func legacyRuns(r io.ReaderAt, at, size int64, keys any, storages map[string]storage) (map[string]run, error) {
	names, ok := keys.(*list)
	if !ok {
		return nil, fmt.Errorf("the list of storages is missing; %w", errAgain)
	}
	runs := map[string]run{}
	for _, key := range names.items {
		name, _ := key.(string)
		s, ok := storages[name]
		if !ok {
			return nil, fmt.Errorf("storage %v belongs to no tensor; %w", key, errAgain)
		}
		var count [8]byte
		if err := readFull(r, count[:], at); err != nil {
			return nil, fmt.Errorf("storage %s: %w; %w", name, err, errAgain)
		}
		length := s.size * dtypeSize(s)
		at += int64(len(count))
		if littleInt64(count) != s.size || length > size-at {
			return nil, fmt.Errorf("storage %s of %d elements does not fit the file; %w", name, s.size, errAgain)
		}
		runs[name] = run{at, length}
		at += length
	}
	return runs, nil
}
