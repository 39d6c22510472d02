package kn

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
)

// Progress is told how far a computation is: done of total steps of what.
// It is called from one goroutine at a time.
type Progress func(done, total int, what string)

// Option is a cross-cutting setting of [Load].
type Option func(*Model)

// WithContext lets ctx cancel the download and every computation of the model.
func WithContext(ctx context.Context) Option { return func(m *Model) { m.ctx = ctx } }

// WithProgress reports the progress of downloads and of every computation; nil
// reports none. Unless told otherwise a notebook's cell shows a bar.
func WithProgress(p Progress) Option { return func(m *Model) { m.progress = p } }

// WithCache keeps results in a folder of the caller's choice instead of the
// user's cache folder; "off" keeps none.
func WithCache(dir string) Option {
	return func(m *Model) {
		m.cache = cache.At(dir)
		if dir == "off" {
			m.cache = cache.Cache{}
		}
	}
}

// embedded holds the models that packages registered, by name.
var embedded = struct {
	sync.Mutex
	models map[string]fs.FS
}{models: map[string]fs.FS{}}

// RegisterEmbedded makes a model in Hugging Face format known to [Load]. A
// package that embeds one calls it from its init function; what is read is
// read when the model is used.
func RegisterEmbedded(name string, files fs.FS) {
	embedded.Lock()
	defer embedded.Unlock()
	embedded.models[name] = files
}

// hubName is owner/name or owner/name@revision on the Hugging Face hub.
var hubName = regexp.MustCompile(`^([\w.-]+/[\w.-]+)(?:@([\w./-]+))?$`)

// owners are those of models that had names without an owner on the hub, and
// are still called by them.
var owners = []struct {
	names *regexp.Regexp
	owner string
}{
	{regexp.MustCompile(`^bert-(base|large)-[a-z-]+(@[\w./-]+)?$`), "google-bert"},
	{regexp.MustCompile(`^roberta-(base|large)(@[\w./-]+)?$`), "FacebookAI"},
	{regexp.MustCompile(`^(distil(ro)?bert(a)?-base[a-z-]*|distilgpt2)(@[\w./-]+)?$`), "distilbert"},
	{regexp.MustCompile(`^gpt2(-medium|-large|-xl)?(@[\w./-]+)?$`), "openai-community"},
}

// withOwner adds the owner to a name that is known without, unless a folder has
// that name.
func withOwner(name string) string {
	if _, err := os.Stat(name); err == nil {
		return name
	}
	for _, o := range owners {
		if o.names.MatchString(name) {
			return o.owner + "/" + name
		}
	}
	return name
}

// Load opens a language model: a masked one (BERT, DistilBERT, RoBERTa, the
// generator of an ELECTRA) or a causal one (GPT-2, Llama, Qwen2 and 3, Mistral),
// which config.json's model_type tells apart. Prompts have [MASK] for the answer; a
// causal model reads what is before it. The name is
//
//   - "mini" or "mini-gpt", the embedded models, when the program imports
//     _ "github.com/knowledge-neurons/gonb-kn/kn/mini";
//   - a folder in Hugging Face format, which never touches the network;
//   - a repository of the Hugging Face hub, such as
//     "google-bert/bert-base-cased", optionally with "@revision". HF_HOME,
//     HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE are respected;
//   - a name that a model had on the hub before models had owners:
//     "bert-base-cased" is google-bert/bert-base-cased, "roberta-base"
//     FacebookAI/roberta-base, "distilbert-base-cased" distilbert/distilbert-base-cased,
//     "gpt2" openai-community/gpt2.
//
// Load is lazy: weights are read when something must be computed that is
// not in the cache. A folder's results are found again as long as its files
// do not change.
func Load(name string, options ...Option) (*Model, error) {
	m, folder, err := openModel(name, options)
	if err != nil {
		return nil, err
	}
	if folder.Config().Classifies() {
		return nil, fmt.Errorf("kn: %s is a classifier of %q and has no head that predicts a token; open it with finetune.Open, or give the masked language model that it was made from",
			name, folder.Config().LabelNames())
	}
	m.shared = &shared{folder: folder}
	return m, nil
}

// MustLoad is [Load] for notebook cells: it panics where Load returns an error.
func MustLoad(name string, options ...Option) *Model { return Must(Load(name, options...)) }

// OpenCheckpoint opens what [Load] would open, whatever its head is: the
// configuration and the tokenizer at once, the weights when they are read.
func OpenCheckpoint(name string, options ...Option) (*checkpoint.Folder, error) {
	_, folder, err := openModel(name, options)
	return folder, err
}

func openModel(name string, options []Option) (*Model, *checkpoint.Folder, error) {
	m := &Model{ctx: context.Background(), cache: cache.Default()}
	if bar := notebook.NewBar(); bar != nil {
		m.progress = bar.Step
	}
	for _, option := range options {
		option(m)
	}
	m.name = withOwner(name)
	m.label = m.name
	folder, err := m.open(m.name)
	return m, folder, err
}

// open finds out what the name names.
func (m *Model) open(name string) (*checkpoint.Folder, error) {
	embedded.Lock()
	files, ok := embedded.models[name]
	embedded.Unlock()
	if ok {
		return checkpoint.OpenFS(files, name)
	}
	info, err := os.Stat(name)
	switch hub := hubName.FindStringSubmatch(name); {
	case err == nil && info.IsDir():
		if path, err := filepath.Abs(name); err == nil {
			m.label = filepath.Base(path)
		}
		return checkpoint.OpenFolder(name)
	case err == nil:
		return nil, fmt.Errorf("kn: %s is a file; a model is a folder in Hugging Face format: give %s", name, filepath.Dir(name))
	case hub != nil && !strings.HasPrefix(name, "."):
		return checkpoint.OpenHub(m.ctx, hub[1], checkpoint.HubOptions{Revision: hub[2], Progress: m.downloadProgress()})
	case strings.ContainsAny(name, `/\`):
		return nil, fmt.Errorf("kn: there is no folder %s", name)
	case len(Embedded()) > 0:
		return nil, fmt.Errorf("kn: no embedded model is called %q: there are %s; give one of these, a folder, or a hub repository as owner/name", name, strings.Join(Embedded(), " and "))
	default:
		return nil, fmt.Errorf("kn: no embedded model is called %q, as this program has none; import _ "+
			`"github.com/knowledge-neurons/gonb-kn/kn/mini" for "mini" (in a notebook write kn.MustLoad(mini.Name) instead, since `+
			`GoNB keeps only one blank import), or give a folder or a hub repository as owner/name`,
			name)
	}
}

// Must is for notebook cells, in the manner of template.Must: it panics with err,
// whose message the cell then shows, or returns v.
//
//	neurons := kn.Must(model.KnowledgeNeurons(prompts, "Paris"))
func Must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
