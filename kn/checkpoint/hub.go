package checkpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/gomlx/go-huggingface/hub"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// HubOptions say how [OpenHub] finds a model. The zero value asks the
// environment, as Hugging Face's own tools do.
type HubOptions struct {
	// Revision is a branch, a tag or a commit; "" is "main". It is resolved to
	// a commit once and stays there, whatever happens to the branch, until
	// Update is set.
	Revision string
	Update   bool   // ask the hub what commit the revision is now
	CacheDir string // "": HF_HUB_CACHE, or hub in HF_HOME, or ~/.cache/huggingface/hub
	Endpoint string // "": HF_ENDPOINT, or https://huggingface.co
	Token    string // "": HF_TOKEN, or the file that `hf auth login` leaves in HF_HOME
	Offline  bool   // use the cache only; also set by HF_HUB_OFFLINE=1
	Progress Progress
	Client   *http.Client // nil: one with sensible time limits
}

// repository is a model on the hub with everything that is needed to get it.
type repository struct {
	id       string
	opts     HubOptions
	cache    hubCache
	revision string
}

var (
	repositoryID = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$`)
	revisionName = regexp.MustCompile(`^[A-Za-z0-9][\w./-]*$`)
	commitHash   = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// OpenHub opens a model of the Hugging Face hub such as
// "google-bert/bert-base-cased". What the cache holds in full is opened without
// a word to the network; anything else is downloaded into the cache, which is
// the one that Hugging Face's Python tools use. An interrupted download goes on
// where it stopped, and every file is checked against its hash.
//
// go-huggingface's types describe the hub's answers. Its download (v0.4.3) is
// not used: it starts from nothing after an interruption, takes a connection
// that broke for a complete file, knows neither HF_HOME nor an offline mode,
// and prints its progress.
func OpenHub(ctx context.Context, id string, opts HubOptions) (*Folder, error) {
	r, err := newRepository(id, opts)
	if err != nil {
		return nil, err
	}
	if !r.opts.Update {
		if commit, ok := r.cache.commit(r.revision); ok {
			if missing := r.cache.missing(commit); len(missing) == 0 {
				return r.open(commit)
			} else if r.opts.Offline {
				return nil, r.errorf("offline, and the cache %s lacks %s of commit %s; unset HF_HUB_OFFLINE once to download it",
					r.cache.dir, strings.Join(missing, ", "), commit)
			}
		}
	}
	if r.opts.Offline {
		return nil, r.errorf("offline, and revision %s is not in the cache %s; unset HF_HUB_OFFLINE once to download it, or give a model folder",
			r.revision, r.cache.dir)
	}
	commit, err := r.download(ctx)
	if err != nil {
		return nil, err
	}
	return r.open(commit)
}

func newRepository(id string, opts HubOptions) (*repository, error) {
	if !repositoryID.MatchString(id) || strings.Contains(id, "--") || strings.Contains(id, "..") {
		return nil, fmt.Errorf("checkpoint: %q is not the name of a model on the Hugging Face hub, such as google-bert/bert-base-cased", id)
	}
	r := &repository{id: id, revision: cmp.Or(opts.Revision, "main")}
	if !revisionName.MatchString(r.revision) || strings.Contains(r.revision, "..") {
		return nil, r.errorf("%q is not the name of a revision; give a branch, a tag or a commit", opts.Revision)
	}
	home := cmp.Or(os.Getenv("HF_HOME"), filepath.Join(xdg.CacheHome, "huggingface"))
	opts.CacheDir = cmp.Or(opts.CacheDir, os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE"), filepath.Join(home, "hub"))
	opts.Endpoint = strings.TrimRight(cmp.Or(opts.Endpoint, os.Getenv("HF_ENDPOINT"), "https://huggingface.co"), "/")
	opts.Offline = opts.Offline || isTrue(os.Getenv("HF_HUB_OFFLINE")) || isTrue(os.Getenv("TRANSFORMERS_OFFLINE"))
	if opts.Token == "" {
		opts.Token = cmp.Or(os.Getenv("HF_TOKEN"), os.Getenv("HUGGING_FACE_HUB_TOKEN"),
			readToken(cmp.Or(os.Getenv("HF_TOKEN_PATH"), filepath.Join(home, "token"))))
	}
	if opts.Client == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.ResponseHeaderTimeout = time.Minute
		opts.Client = &http.Client{Transport: transport}
	}
	r.opts = opts
	r.cache = hubCache{
		dir:   filepath.Join(opts.CacheDir, "models--"+strings.ReplaceAll(id, "/", hub.RepoIdSeparator)),
		locks: filepath.Join(opts.CacheDir, ".locks", "models--"+strings.ReplaceAll(id, "/", hub.RepoIdSeparator)),
	}
	return r, nil
}

// readToken reads the token file; without one, only public models are found.
func readToken(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// isTrue reads a switch as huggingface_hub does.
func isTrue(value string) bool {
	return slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(value))
}

func (r *repository) errorf(format string, args ...any) error {
	return fmt.Errorf("checkpoint: %s: %w", r.id, fmt.Errorf(format, args...))
}

// open opens a commit that the cache holds.
func (r *repository) open(commit string) (*Folder, error) {
	dir := r.cache.snapshot(commit)
	f, err := open(os.DirFS(dir), dir, r.id+"@"+commit[:12])
	if err != nil {
		return nil, err
	}
	f.commit = commit
	return f, nil
}

// hubCache is one model's folder in the cache that huggingface_hub defined:
// refs/REVISION holds a commit, snapshots/COMMIT/FILE links to blobs/HASH, and
// .no_exist/COMMIT/FILE marks what a commit is known not to have.
type hubCache struct{ dir, locks string }

func (c hubCache) snapshot(commit string) string { return filepath.Join(c.dir, "snapshots", commit) }
func (c hubCache) blob(hash string) string       { return filepath.Join(c.dir, "blobs", hash) }

func (c hubCache) ref(revision string) string {
	return filepath.Join(c.dir, "refs", filepath.FromSlash(revision))
}

func (c hubCache) noExist(commit, file string) string {
	return filepath.Join(c.dir, ".no_exist", commit, file)
}

// commit is what a revision was resolved to.
func (c hubCache) commit(revision string) (string, bool) {
	if commitHash.MatchString(revision) {
		return revision, true
	}
	data, err := os.ReadFile(c.ref(revision))
	commit := strings.TrimSpace(string(data))
	return commit, err == nil && commitHash.MatchString(commit)
}

// missing lists what a commit's snapshot lacks to be opened. The absence of
// tokenizer_config.json must be known, not guessed: without it a cased
// vocabulary would be taken for an uncased one.
func (c hubCache) missing(commit string) []string {
	dir := c.snapshot(commit)
	f := Folder{fsys: os.DirFS(dir), dir: dir}
	var missing []string
	if !f.has(configFile) {
		missing = append(missing, configFile)
	}
	if !f.has(tokenizer.TokenizerFile) {
		if !f.has(tokenizer.VocabularyFile) && !(f.has(tokenizer.VocabularyJSONFile) && f.has(tokenizer.MergesFile)) {
			missing = append(missing, tokenizer.TokenizerFile+" or "+tokenizer.VocabularyFile)
		}
		if _, err := os.Stat(c.noExist(commit, tokenizer.ConfigFile)); err != nil && !f.has(tokenizer.ConfigFile) {
			missing = append(missing, tokenizer.ConfigFile)
		}
	}
	if _, _, _, err := f.weightFiles(); errors.Is(err, fs.ErrNotExist) {
		missing = append(missing, "the weights")
	} else if err != nil {
		missing = append(missing, "a sound list of shards")
	}
	return missing
}
