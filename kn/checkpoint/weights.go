package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/gitlfs"
)

// The files that can hold the weights, in the order in which they are looked
// for, which is that of transformers.
const (
	safetensorsFile  = "model.safetensors"
	safetensorsIndex = "model.safetensors.index.json"
	torchFile        = "pytorch_model.bin"
	torchIndex       = "pytorch_model.bin.index.json"
)

// reader lists the tensors of one file.
type reader func(r io.ReaderAt, size int64, file string) ([]stored, error)

// weightFiles finds the files that hold the weights, the index included, and
// the way to read them.
func (f *Folder) weightFiles() (files []string, index string, read reader, err error) {
	for _, way := range []struct {
		file, index string
		read        reader
	}{{safetensorsFile, safetensorsIndex, readSafetensors}, {torchFile, torchIndex, readTorch}} {
		if f.has(way.file) {
			return []string{way.file}, "", way.read, nil
		}
		if f.has(way.index) {
			files, err := f.shards(way.index)
			return files, way.index, way.read, err
		}
	}
	return nil, "", nil, f.errorf("it holds no weights: none of %s, %s, %s, %s; copy one of them from where the model came from: %w",
		safetensorsFile, safetensorsIndex, torchFile, torchIndex, fs.ErrNotExist)
}

// weightMap reads an index: which tensor lies in which shard.
func (f *Folder) weightMap(index string) (map[string]string, error) {
	var content struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	data, err := f.readText(index)
	if err == nil {
		err = json.Unmarshal(data, &content)
	}
	if err == nil && len(content.WeightMap) == 0 {
		err = fmt.Errorf("no weight_map")
	}
	if err != nil {
		return nil, f.errorf("%s: %w; get the file again", index, err)
	}
	return content.WeightMap, nil
}

// shards lists the files that an index names.
func (f *Folder) shards(index string) ([]string, error) {
	weightMap, err := f.weightMap(index)
	if err != nil {
		return nil, err
	}
	files := slices.Compact(slices.Sorted(maps.Values(weightMap)))
	for _, file := range files {
		if path.Base(file) != file || !fs.ValidPath(file) || file == "." {
			return nil, f.errorf("%s: %q is not the name of a file beside it; get the file again", index, file)
		}
		if !f.has(file) {
			return nil, f.errorf("shard %s of %s is missing; get it from where the model came from: %w", file, index, fs.ErrNotExist)
		}
	}
	return files, nil
}

// openWeights lists all stored tensors. close must be called when they have
// been read, also after an error.
func (f *Folder) openWeights() (tensors []stored, closeAll func(), err error) {
	var open []io.Closer
	closeAll = func() {
		for _, c := range open {
			_ = c.Close() // opened for reading only
		}
	}
	files, index, read, err := f.weightFiles()
	if err != nil {
		return nil, closeAll, err
	}
	for _, file := range files {
		r, size, closer, err := f.openAt(file)
		if err != nil {
			return nil, closeAll, f.errorf("%w", err)
		}
		open = append(open, closer)
		if err := gitlfs.CheckAt(r); err != nil {
			return nil, closeAll, f.errorf("%s: %w", file, err)
		}
		found, err := read(r, size, file)
		if err != nil {
			return nil, closeAll, f.errorf("%w", err)
		}
		tensors = append(tensors, found...)
	}
	if index != "" {
		err = f.checkIndex(index, tensors)
	}
	return tensors, closeAll, err
}

// checkIndex compares the index with what the shards hold.
func (f *Folder) checkIndex(index string, tensors []stored) error {
	weightMap, err := f.weightMap(index)
	if err != nil {
		return err
	}
	for _, s := range tensors {
		if weightMap[s.name] != s.file {
			return f.errorf("%s holds tensor %s, but %s places it in %q; get the files again", s.file, s.name, index, weightMap[s.name])
		}
		delete(weightMap, s.name)
	}
	if len(weightMap) > 0 {
		return f.errorf("%s names tensors that its shards do not hold: %v; get the files again", index, slices.Sorted(maps.Keys(weightMap)))
	}
	return nil
}
