package checkpoint

import "io/fs"

// ReadFile reads a file that lies beside the weights, such as a model card.
// The error is an [fs.ErrNotExist] when there is none.
func (f *Folder) ReadFile(name string) ([]byte, error) {
	data, err := fs.ReadFile(f.fsys, name)
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	return data, nil
}
