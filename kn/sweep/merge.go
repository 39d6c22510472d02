package sweep

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// RecordsFile has a whole sweep's records, in the data set's order.
const RecordsFile = "records.jsonl"

// Merge checks that the shards in some folders, or in dir itself if none is
// named, have every prompt of the data set exactly once, and writes them in
// the data set's order to dir. Model, source and options are the sweep's; the
// number of shards does not matter. What is missing is said, and which shard
// it is missing in.
func Merge(ctx context.Context, model *kn.Model, source facts.Source, dir string, from []string, options Options, progress kn.Progress) (*Summary, error) {
	options.Shard, options.Shards = 0, 0
	p, err := newPlan(ctx, model, source, options)
	if err != nil {
		return nil, err
	}
	if len(from) == 0 {
		from = []string{dir}
	}
	return merge(ctx, p, dir, from, progress)
}

func merge(ctx context.Context, p *plan, dir string, from []string, progress kn.Progress) (*Summary, error) {
	m := &merger{plan: p, places: map[string][]place{}, shards: map[int]bool{}, progress: progress}
	defer m.close()
	for _, folder := range from {
		if err := m.folder(folder); err != nil {
			return nil, err
		}
	}
	if err := m.complete(); err != nil {
		return nil, err
	}
	if err := m.write(ctx, dir); err != nil {
		return nil, err
	}
	s := p.summary()
	s.Found, s.NotConverged = m.written, m.notConverged
	return s, nil
}

// merger knows where each record stands.
type merger struct {
	*plan
	files    []*os.File
	shards   map[int]bool       // the numbers of shards that the files' names say
	places   map[string][]place // by fact, then by prompt
	progress kn.Progress

	written, notConverged int
}

// place is where a record stands; of length 0 where there is none.
type place struct {
	offset       int64
	length       int
	file, line   int
	notConverged bool
}

func (m *merger) close() {
	for _, file := range m.files {
		file.Close()
	}
}

// folder takes in the files of a folder.
func (m *merger) folder(dir string) error {
	files, err := shardFiles(dir)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("sweep: %s has no file of a sweep, such as %s", dir, shardName(1, 1))
	}
	for _, f := range files {
		m.shards[f.shards] = true
		if err := m.file(f.path); err != nil {
			return err
		}
	}
	return nil
}

// file takes in the records of a file.
func (m *merger) file(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	m.files = append(m.files, file)
	if err := lockShared(file); err != nil {
		return err
	}
	scan := newScanner(file, path)
	found, err := scan.header()
	if errors.Is(err, io.EOF) {
		return nil // killed before it had begun
	}
	if err == nil {
		err = m.header.mustEqual(found, path)
	}
	if err != nil {
		return err
	}
	_, err = scan.entries(found, m.add)
	return err
}

// add notes where a record of the last file stands.
func (m *merger) add(e entry) error {
	if m.places[e.Fact] == nil {
		m.places[e.Fact] = make([]place, e.Prompts)
	}
	at := &m.places[e.Fact][e.Index]
	if at.length > 0 {
		return fmt.Errorf("sweep: the prompt %q stands twice, in %s:%d and %s:%d; leave one of the files out",
			e.Prompt, m.files[at.file].Name(), at.line, m.files[len(m.files)-1].Name(), e.line)
	}
	*at = place{e.offset, e.length, len(m.files) - 1, e.line, len(e.NotConverged) > 0}
	return nil
}

// complete reports what is missing.
func (m *merger) complete() error {
	prompts, missing := 0, 0
	var first facts.Bag
	shards := 0 // that the facts were dealt to, where all files say the same
	for n := range m.shards {
		if shards = n; len(m.shards) > 1 {
			shards = 0
			break
		}
	}
	lack := map[int]int{} // prompts, by shard
	for _, bag := range m.facts {
		lacking := m.lacking(bag)
		if lacking == 0 {
			continue
		}
		if missing++; missing == 1 {
			first = bag
		}
		prompts += lacking
		if shards > 0 {
			lack[shardOf(bag.Key(), shards)] += lacking
		}
	}
	if missing == 0 {
		return nil
	}
	return fmt.Errorf("sweep: %d of %d prompts are missing, of %d facts, the first of them %s(%s) = %s; %s",
		prompts, m.prompts, missing, first.Relation, first.Subject, first.Answer, runAgain(lack, shards))
}

// lacking counts the prompts of a fact that no file has.
func (m *merger) lacking(bag facts.Bag) int {
	places := m.places[bag.Key()]
	n := len(bag.Prompts) - len(places)
	for _, at := range places {
		if at.length == 0 {
			n++
		}
	}
	return n
}

// runAgain says what to do about prompts that shards lack.
func runAgain(lack map[int]int, shards int) string {
	if shards <= 1 {
		return "run the sweep again: it goes on where it was"
	}
	var some []string
	for shard := 1; shard <= shards; shard++ {
		if n := lack[shard]; n > 0 {
			some = append(some, fmt.Sprintf("%d/%d (lacks %d)", shard, shards, n))
		}
	}
	const most = 20
	if len(some) > most {
		some = append(some[:most], fmt.Sprintf("%d more", len(some)-most))
	}
	return "run these shards again, they go on where they were: " + strings.Join(some, ", ")
}

// write copies the records, in the data set's order.
func (m *merger) write(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	file, err := renameio.NewPendingFile(filepath.Join(dir, RecordsFile), renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	defer file.Cleanup() //nolint:errcheck // nothing to do about what is left behind
	buffered := bufio.NewWriterSize(file, 1<<20)
	line, err := m.header.line()
	if err != nil {
		return err
	}
	if _, err := buffered.Write(line); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	for _, bag := range m.facts {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := m.copy(buffered, bag); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// copy copies a fact's records.
func (m *merger) copy(w io.Writer, bag facts.Bag) error {
	var line []byte
	for _, at := range m.places[bag.Key()] {
		line = slices.Grow(line[:0], at.length)[:at.length]
		if _, err := m.files[at.file].ReadAt(line, at.offset); err != nil {
			return fmt.Errorf("sweep: %s:%d: %w", m.files[at.file].Name(), at.line, err)
		}
		if _, err := w.Write(line); err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		if m.written++; at.notConverged {
			m.notConverged++
		}
	}
	if m.progress != nil {
		m.progress(m.written, m.prompts, "records merged")
	}
	return nil
}
