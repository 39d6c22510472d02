package checkpoint

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
)

// WriteTensors writes any tensors as a safetensors file, in the order of their
// names: the same tensors always give the same bytes. The file is written
// under another name and renamed when it is complete.
func WriteTensors(path string, tensors map[string]Tensor, opts SaveOptions) error {
	header, err := header(tensors, opts)
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	defer file.Cleanup()
	w := bufio.NewWriterSize(file, 1<<20)
	_, err = w.Write(header)
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		if err == nil {
			err = writeData(w, tensors[name].Data, opts)
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = file.CloseAtomicallyReplace()
	}
	if err != nil {
		return fmt.Errorf("checkpoint: cannot write %s: %w", path, err)
	}
	return nil
}

// header is the length and the JSON of a safetensors header, padded so that
// the numbers are aligned.
func header(tensors map[string]Tensor, opts SaveOptions) ([]byte, error) {
	type field struct {
		DType   dtype    `json:"dtype"`
		Shape   []int    `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	kind := f32
	if opts.F16 {
		kind = f16
	}
	// transformers refuses a file that does not say which library's it is.
	fields := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	at := int64(0)
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		t := tensors[name]
		n := elements(t.Shape)
		if name == "__metadata__" || n != int64(len(t.Data)) {
			return nil, fmt.Errorf("tensor %s has %d numbers; its shape %v asks for %d", name, len(t.Data), t.Shape, n)
		}
		if bad := firstBad(t.Data); bad >= 0 {
			return nil, fmt.Errorf("tensor %s: element %d is %v; the training diverged: lower the learning rate", name, bad, t.Data[bad])
		}
		if opts.F16 {
			if i := slices.IndexFunc(t.Data, func(f float32) bool { return toHalf(f)&0x7fff == 0x7c00 }); i >= 0 {
				return nil, fmt.Errorf("tensor %s: element %d is %v, too large for F16: store the model as F32", name, i, t.Data[i])
			}
		}
		end := at + n*sizes[kind]
		fields[name] = field{kind, append([]int{}, t.Shape...), [2]int64{at, end}}
		at = end
	}
	text, err := json.Marshal(fields) // keys sorted
	if err != nil {
		return nil, err
	}
	for len(text)%8 != 0 {
		text = append(text, ' ')
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}

func writeData(w io.Writer, data []float32, opts SaveOptions) error {
	if !opts.F16 && littleEndian {
		_, err := w.Write(bytesOf(data))
		return err
	}
	if !opts.F16 {
		return binary.Write(w, binary.LittleEndian, data)
	}
	buf := make([]byte, 0, 2*min(len(data), chunk))
	for part := range slices.Chunk(data, chunk) {
		buf = buf[:0]
		for _, f := range part {
			buf = binary.LittleEndian.AppendUint16(buf, toHalf(f))
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
	return nil
}

// ReadTensors reads all tensors of a safetensors file, under the names that
// they have there.
func ReadTensors(ctx context.Context, path string, progress Progress) (map[string]Tensor, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	tensors, err := readSafetensors(file, info.Size(), filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	for _, s := range tensors {
		if !s.dtype.float() {
			return nil, fmt.Errorf("checkpoint: %s: tensor %s holds %s; only F32, F16, BF16 and F64 can be read", path, s.name, s.dtype)
		}
	}
	data, err := readAll(ctx, tensors, nil, "reading "+filepath.Base(path), progress)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	out := make(map[string]Tensor, len(tensors))
	for i, s := range tensors {
		out[s.name] = data[i]
	}
	return out, nil
}
