package checkpoint

import (
	"context"
	"crypto/sha1" // git names its objects by it
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/gomlx/go-huggingface/hub"
	"github.com/google/renameio/v2"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// download brings everything that the model needs into the cache and returns
// the commit.
func (r *repository) download(ctx context.Context) (string, error) {
	info, err := r.info(ctx)
	if err != nil {
		return "", err
	}
	if !commitHash.MatchString(info.CommitHash) {
		return "", r.errorf("%s names no commit for revision %s; is it a Hugging Face hub? Check HF_ENDPOINT", r.opts.Endpoint, r.revision)
	}
	files := map[string]*hub.FileInfo{}
	for _, f := range info.Siblings {
		files[f.Name] = f
	}
	for _, name := range []string{
		configFile, tokenizer.TokenizerFile, tokenizer.VocabularyFile, tokenizer.VocabularyJSONFile, tokenizer.MergesFile,
		tokenizer.ConfigFile, tokenizer.SpecialTokensFile,
	} {
		if err := r.file(ctx, info.CommitHash, name, files[name]); err != nil {
			return "", err
		}
	}
	if err := r.weights(ctx, info.CommitHash, files); err != nil {
		return "", err
	}
	if r.revision != info.CommitHash {
		if err := writeWhole(r.cache.ref(r.revision), []byte(info.CommitHash)); err != nil {
			return "", r.errorf("%w", err)
		}
	}
	return info.CommitHash, nil
}

// weights downloads the first kind of weight files that the repository has.
func (r *repository) weights(ctx context.Context, commit string, files map[string]*hub.FileInfo) error {
	for _, way := range [][2]string{{safetensorsFile, safetensorsIndex}, {torchFile, torchIndex}} {
		if files[way[0]] != nil {
			return r.file(ctx, commit, way[0], files[way[0]])
		}
		if files[way[1]] == nil {
			continue
		}
		if err := r.file(ctx, commit, way[1], files[way[1]]); err != nil {
			return err
		}
		f := &Folder{fsys: os.DirFS(r.cache.snapshot(commit)), source: r.id}
		weightMap, err := f.weightMap(way[1])
		if err != nil {
			return err
		}
		for _, shard := range weightMap {
			if files[shard] == nil || strings.ContainsAny(shard, `/\`) {
				return r.errorf("%s names a shard %q that the repository does not hold", way[1], shard)
			}
			if err := r.file(ctx, commit, shard, files[shard]); err != nil {
				return err
			}
		}
		return nil
	}
	return r.errorf("the repository holds no weights that can be read (%s or %s, whole or in shards); choose another model", safetensorsFile, torchFile)
}

// info asks the hub what the revision is and which files it has.
func (r *repository) info(ctx context.Context) (*hub.RepoInfo, error) {
	address := fmt.Sprintf("%s/api/models/%s/revision/%s?blobs=true", r.opts.Endpoint, r.id, url.PathEscape(r.revision))
	resp, err := r.get(ctx, address, 0)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	info := &hub.RepoInfo{}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(info); err != nil {
		return nil, r.errorf("the answer of %s cannot be understood: %w; check HF_ENDPOINT", address, err)
	}
	return info, nil
}

// get asks for the bytes of address from offset on, and turns what can go
// wrong into advice.
func (r *repository) get(ctx context.Context, address string, offset int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, r.errorf("%w; check HF_ENDPOINT", err)
	}
	req.Header.Set("User-Agent", hub.DefaultHttpUserAgent())
	req.Header.Set("Accept-Encoding", "identity") // ranges count the bytes of the file itself
	if r.opts.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.opts.Token) // net/http drops it when redirected to another host
	}
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := r.opts.Client.Do(req)
	if err != nil {
		return nil, r.errorf("cannot reach %s: %w; without network, give a model folder or a model that the cache holds", r.opts.Endpoint, err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusPartialContent, http.StatusRequestedRangeNotSatisfiable:
		return resp, nil
	}
	resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, r.errorf("%s answers %s: there is no such model, or it is private or gated: check the name, or set HF_TOKEN", address, resp.Status)
	case http.StatusNotFound:
		return nil, r.errorf("%s answers %s: there is no such model or revision (%s); check the name", address, resp.Status, r.revision)
	}
	return nil, &temporaryError{r.errorf("%s answers %s; try again later", address, resp.Status)}
}

// temporaryError is worth another attempt.
type temporaryError struct{ error }

func (e *temporaryError) Unwrap() error { return e.error }

// file brings one file into the commit's snapshot. A nil info marks a file that
// the repository does not have.
func (r *repository) file(ctx context.Context, commit, name string, info *hub.FileInfo) error {
	if info == nil {
		if err := writeWhole(r.cache.noExist(commit, name), nil); err != nil {
			return r.errorf("%w", err)
		}
		return nil
	}
	sum, want := fileHash(info)
	if want == "" {
		return r.errorf("%s does not say the hash of %s; check HF_ENDPOINT", r.opts.Endpoint, name)
	}
	blob := r.cache.blob(want)
	if err := os.MkdirAll(filepath.Dir(blob), 0o755); err != nil {
		return r.errorf("%w", err)
	}
	unlock, err := r.lock(ctx, want)
	if err != nil {
		return r.errorf("%w", err)
	}
	defer unlock()
	if _, err := os.Stat(blob); errors.Is(err, os.ErrNotExist) {
		address := fmt.Sprintf("%s/%s/resolve/%s/%s", r.opts.Endpoint, r.id, commit, url.PathEscape(name))
		if err := r.fetch(ctx, address, blob+".incomplete", name, info.Size); err != nil {
			return err
		}
		if err := verify(blob+".incomplete", sum, want); err != nil {
			os.Remove(blob + ".incomplete")
			return r.errorf("%s: %w", name, err)
		}
		if err := os.Rename(blob+".incomplete", blob); err != nil {
			return r.errorf("%w", err)
		}
	}
	return r.link(commit, name, blob)
}

// lock lets one process at a time download a file, Python ones included.
func (r *repository) lock(ctx context.Context, hash string) (func(), error) {
	if err := os.MkdirAll(r.cache.locks, 0o755); err != nil {
		return nil, err
	}
	l := flock.New(filepath.Join(r.cache.locks, hash+".lock"))
	if _, err := l.TryLockContext(ctx, pause); err != nil {
		return nil, fmt.Errorf("another process downloads it: %w", err)
	}
	return func() { _ = l.Unlock() }, nil // the process's end would unlock it too
}

// link makes the snapshot's name for a blob.
func (r *repository) link(commit, name, blob string) error {
	dst := filepath.Join(r.cache.snapshot(commit), name)
	target, err := filepath.Rel(filepath.Dir(dst), blob)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(dst), 0o755)
	}
	if err == nil {
		err = renameio.Symlink(target, dst)
	}
	if err != nil {
		return r.errorf("%w", err)
	}
	return nil
}

// fileHash is the hash by which git or its large-file storage knows a file,
// and how to compute it.
func fileHash(info *hub.FileInfo) (hash.Hash, string) {
	if info.LFS != nil && len(info.LFS.SHA256) == 2*sha256.Size {
		return sha256.New(), info.LFS.SHA256
	}
	if len(info.BlobID) != 2*sha1.Size {
		return nil, ""
	}
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", info.Size)
	return sum, info.BlobID
}

func verify(path string, sum hash.Hash, want string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return fmt.Errorf("what was downloaded has the hash %s instead of %s and was thrown away; try again", got, want)
	}
	return nil
}

// writeWhole writes a small file and the folders above it.
func writeWhole(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(path, data, 0o644)
}
