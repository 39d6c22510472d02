package sweep

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// shard is the file that one process appends its records to.
type shard struct {
	file *os.File
	done map[promptID]bool // that are in the file
	// notConverged of these prompts.
	notConverged int

	write  sync.Mutex
	failed error     // why nothing more can be written
	saved  time.Time // when the file was last forced to disk
}

// promptID is a prompt: a fact's, and its place there.
type promptID struct {
	fact  string
	index int
}

func shardName(shard, shards int) string { return fmt.Sprintf("shard-%d-of-%d.jsonl", shard, shards) }

// openShard opens the plan's file, or begins it, and reads what it has.
func openShard(dir string, p *plan) (*shard, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	if err := checkOthers(dir, p); err != nil { // before there is a file of this sweep
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, shardName(p.Shard, p.Shards)), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	s := &shard{file: file, done: map[promptID]bool{}, saved: time.Now()}
	err = lock(file)
	if err == nil {
		err = s.resume(p.header)
	}
	if err == nil {
		err = checkOthers(dir, p) // another sweep may have begun at the same time
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

// resume reads the file and cuts off what is not whole.
func (s *shard) resume(h Header) error {
	scan := newScanner(s.file, s.file.Name())
	found, err := scan.header()
	if errors.Is(err, io.EOF) {
		return s.begin(h)
	}
	if err == nil {
		err = h.mustEqual(found, s.file.Name())
	}
	if err != nil {
		return err
	}
	end, err := scan.entries(found, func(e entry) error {
		id := promptID{e.Fact, e.Index}
		if s.done[id] {
			return fmt.Errorf("sweep: %s:%d: the prompt %q stands twice; delete one of its lines", s.file.Name(), e.line, e.Prompt)
		}
		s.done[id] = true
		if len(e.NotConverged) > 0 {
			s.notConverged++
		}
		return nil
	})
	if err == nil {
		err = s.cut(end)
	}
	return err
}

// begin writes the header.
func (s *shard) begin(h Header) error {
	line, err := h.line()
	if err == nil {
		err = s.cut(0)
	}
	if err == nil {
		_, err = s.file.Write(line)
	}
	if err != nil {
		return fmt.Errorf("sweep: %s: %w", s.file.Name(), err)
	}
	return nil
}

// cut ends the file at an offset.
func (s *shard) cut(end int64) error {
	err := s.file.Truncate(end)
	if err == nil {
		_, err = s.file.Seek(end, io.SeekStart)
	}
	return err
}

// syncEvery is how often a file is forced to disk, for machines that lose
// power; what a killed process wrote is safe anyway.
const syncEvery = 5 * time.Second

// append writes a record at once.
func (s *shard) append(r Record) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	s.write.Lock()
	defer s.write.Unlock()
	if s.failed != nil {
		return s.failed
	}
	_, err = s.file.Write(line)
	if now := time.Now(); err == nil && now.Sub(s.saved) > syncEvery {
		s.saved = now
		err = s.file.Sync()
	}
	if err != nil {
		s.failed = fmt.Errorf("sweep: writing a record: %w", err) // half a line, behind which nothing may stand
	}
	return s.failed
}

// close saves the file and lets others write it.
func (s *shard) close() error {
	err := s.file.Sync()
	if closed := s.file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

var shardPattern = regexp.MustCompile(`^shard-([0-9]+)-of-([0-9]+)\.jsonl$`)

// shardFile is a file of a sweep.
type shardFile struct {
	path          string
	shard, shards int
}

// shardFiles lists the files of a folder.
func shardFiles(dir string) ([]shardFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("sweep: %w", err)
	}
	var files []shardFile
	for _, e := range entries {
		match := shardPattern.FindStringSubmatch(e.Name())
		if match == nil {
			continue
		}
		f := shardFile{path: filepath.Join(dir, e.Name())}
		f.shard, _ = strconv.Atoi(match[1]) // too large a number is no shard of any sweep
		f.shards, _ = strconv.Atoi(match[2])
		files = append(files, f)
	}
	return files, nil
}

// checkOthers reports files of another sweep in the folder, or of one in
// another number of shards.
func checkOthers(dir string, p *plan) error {
	files, err := shardFiles(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.shards != p.Shards {
			return fmt.Errorf("sweep: %s is of a sweep in %d shards, not in %d; end it as it was begun, or choose another folder", f.path, f.shards, p.Shards)
		}
		file, err := os.Open(f.path)
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		found, err := newScanner(file, f.path).header()
		file.Close()
		if errors.Is(err, io.EOF) {
			continue // it has not begun
		}
		if err == nil {
			err = p.header.mustEqual(found, f.path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
