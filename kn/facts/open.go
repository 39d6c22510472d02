package facts

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// Format names the form that a data set is stored in.
type Format string

// The formats that [Open] tells apart.
const (
	FormatDai     Format = "dai"     // see [Dai]
	FormatPARAREL Format = "pararel" // see [PARAREL]
	FormatLAMA    Format = "lama"    // see [LAMA]
	FormatMerged  Format = "merged"  // see [ReadMerged]
	FormatBags    Format = "bags"    // see [ReadBags]
	FormatTaught  Format = "taught"  // what a model was taught, see [ReadTaught]
)

const formats = `give the repository knowledge-neurons of Dai et al. (data/PARAREL/query_pairs.json and data/PARAREL/raw_data/patterns), PARAREL's folder (trex_lms_vocab and pattern_data/graphs_json), LAMA's (relations.jsonl and files such as TREx/P19.jsonl), ` +
	`a JSON list of bags of [prompt, answer, relation], a file with one JSON object {"relation", "answer", "prompts"} a line, or a model's facts.jsonl.gz; files may be gzipped`

// Open tells which format a data set is in and returns its source. Nothing
// but the beginning is read before the source is run through; the files must
// stay as they are between runs.
func Open(path string) (Source, Format, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", fmt.Errorf("facts: %w; %s", err, formats)
	}
	if info.IsDir() {
		if _, ok := daiBase(path); ok {
			source, err := Dai(path)
			return source, FormatDai, err
		}
		if _, ok := pararelBase(path); ok {
			source, err := PARAREL(path)
			return source, FormatPARAREL, err
		}
		if _, _, ok := lamaPaths(path); ok {
			source, err := LAMA(path)
			return source, FormatLAMA, err
		}
		return nil, "", fmt.Errorf("facts: the folder %s holds no data set: %s", path, formats)
	}
	format, err := fileFormat(path)
	if err != nil {
		return nil, "", err
	}
	read := map[Format]func(io.Reader, string) iter.Seq2[Bag, error]{
		FormatMerged: ReadMerged, FormatBags: ReadBags, FormatTaught: readTaughtBags,
	}[format]
	return fromFile(path, read), format, nil
}

// fromFile is the source of one file, gzipped or not.
func fromFile(path string, read func(io.Reader, string) iter.Seq2[Bag, error]) Source {
	return func(yield func(Bag, error) bool) {
		file, err := openUnzipped(path)
		if err != nil {
			yield(Bag{}, err)
			return
		}
		defer file.Close()
		for b, err := range read(file, path) {
			if err != nil {
				err = fmt.Errorf("facts: %w", err)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// unzipped is a file as it reads unzipped.
type unzipped struct {
	*bufio.Reader
	file *os.File
}

func (u unzipped) Close() error { return u.file.Close() }

// OpenUnzipped opens a file, and unzips it if its first bytes are gzip's.
func OpenUnzipped(path string) (io.ReadCloser, error) { return openUnzipped(path) }

// openUnzipped opens a file, and unzips it if its first bytes are gzip's.
func openUnzipped(path string) (*unzipped, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	u := &unzipped{bufio.NewReader(file), file}
	if magic, _ := u.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) { // a shorter file is no gzip file
		return u, nil
	}
	zipped, err := gzip.NewReader(u.Reader)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("facts: %s: not a gzip file: %w", path, err)
	}
	u.Reader = bufio.NewReader(zipped)
	return u, nil
}

// fileFormat looks at the beginning of a file.
func fileFormat(path string) (Format, error) {
	file, err := openUnzipped(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	const enough = 4096 // bufio's buffer
	text := bufio.NewReader(utf8text.NewReader(file, path))
	start, err := text.Peek(enough) // of a shorter file: all of it
	if wrong := new(utf8text.Error); errors.As(err, &wrong) {
		return "", fmt.Errorf("facts: %w", err)
	}
	if err != nil && len(start) == 0 {
		return "", fmt.Errorf("facts: %s is empty or cannot be read (%w): %s", path, err, formats)
	}
	head := strings.Join(strings.Fields(string(start)), "")
	switch {
	case strings.HasPrefix(head, "[[") || head == "[]":
		return FormatMerged, nil
	case strings.HasPrefix(head, "[{"):
		return "", fmt.Errorf("facts: %s is a JSON list of objects; open texts are read by ReadOpenText, facts otherwise: %s", path, formats)
	case !strings.HasPrefix(head, "{"):
		return "", fmt.Errorf("facts: %s holds no facts: %s", path, formats)
	}
	keys, err := firstKeys(text)
	if err != nil {
		return "", fmt.Errorf("facts: %s:1: not a JSON object: %w; %s", path, err, formats)
	}
	switch {
	case keys["prompts"] != nil:
		return FormatBags, nil
	case keys["held_out"] != nil:
		return FormatTaught, nil
	case keys["masked_sentences"] != nil:
		return "", fmt.Errorf("facts: %s has LAMA's masked sentences, as its SQuAD and ConceptNet files; only LAMA's T-REx is read, whose relations have templates: %s", path, formats)
	case keys["sub_label"] != nil:
		return "", fmt.Errorf("facts: %s has triples and no prompts; give the folder that also has the templates: %s", path, formats)
	}
	return "", fmt.Errorf("facts: the lines of %s have none of the keys prompts and held_out: %s", path, formats)
}

// firstKeys decodes the first line that is not blank.
func firstKeys(r io.Reader) (keys map[string]json.RawMessage, err error) {
	for _, line := range lines(r, "") {
		if line.err != nil {
			return nil, line.err
		}
		return keys, json.Unmarshal(line.bytes, &keys)
	}
	return nil, io.ErrUnexpectedEOF
}
