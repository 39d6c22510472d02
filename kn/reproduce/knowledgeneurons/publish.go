package knowledgeneurons

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// publish writes the report once more, without the data sets' sentences.
func (e *experimenter) publish() error {
	dir, err := filepath.Abs(e.o.Publish)
	if err != nil {
		return err
	}
	results := filepath.Join(dir, report.ResultsDir)
	if err := os.MkdirAll(results, 0o755); err != nil {
		return fmt.Errorf("knowledgeneurons: %w; choose a folder that can be written", err)
	}
	all, err := filepath.Glob(filepath.Join(e.run.Dir(), report.ResultsDir, "*.json"))
	if err != nil {
		return err
	}
	for _, file := range all {
		data, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("knowledgeneurons: %w", err)
		}
		if data, err = withoutSentences(data); err != nil {
			return fmt.Errorf("knowledgeneurons: %s: %w", file, err)
		}
		if err := renameio.WriteFile(filepath.Join(results, filepath.Base(file)), data, 0o644); err != nil {
			return fmt.Errorf("knowledgeneurons: %w", err)
		}
	}
	if _, err := e.report(dir); err != nil {
		return err
	}
	pictures, err := filepath.Glob(filepath.Join(dir, report.FiguresDir, "*.png"))
	for _, file := range pictures { // each is an SVG too
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

// withoutSentences empties what a result file has of prompts and texts.
func withoutSentences(data []byte) ([]byte, error) {
	read := json.NewDecoder(bytes.NewReader(data))
	read.UseNumber() // each number stays as it is written
	var result any
	if err := read.Decode(&result); err != nil {
		return nil, err
	}
	emptySentences(result)
	return json.MarshalIndent(result, "", " ")
}

func emptySentences(value any) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			emptySentences(element)
		}
	case map[string]any:
		for name, element := range v {
			if _, sentence := element.(string); sentence && (name == "prompt" || name == "text") {
				v[name] = ""
			}
			emptySentences(element)
		}
	}
}
