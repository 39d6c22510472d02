package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// The folders of a report.
const (
	ResultsDir = "results"
	FiguresDir = "figures"
)

// Results reads the result files of a report's folder. Whatever cannot be
// read is remembered: see [Results.Err].
type Results struct {
	dir  string
	errs []error
}

// OpenResults reads from dir's folder of results.
func OpenResults(dir string) *Results { return &Results{dir: filepath.Join(dir, ResultsDir)} }

// Err says what could not be read, or is nil.
func (r *Results) Err() error { return errors.Join(r.errs...) }

// Object is an object of a result file by its keys, as templates name them:
// {{.neurons.per_fact}}. Its values are objects, lists, strings and
// [Number]s; beside a list NAME there is NAME_entries, their number.
type Object map[string]any

// Object reads a result file, "neurons.json" for "neurons".
func (r *Results) Object(name string) Object {
	file := name + ".json"
	data, err := os.ReadFile(filepath.Join(r.dir, file))
	root := map[string]any{}
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber() // keeps the file's digits
		if err = decoder.Decode(&root); err != nil {
			err = fmt.Errorf("not an object in JSON: %w", err)
		}
	}
	if err != nil {
		r.errs = append(r.errs, fmt.Errorf("report: %s: %w", filepath.Join(r.dir, file), err))
	}
	return traced(file, "", root).(Object)
}

// Interval is what an object with mean, low and high stands for.
func (o Object) Interval() (stats.Interval, error) {
	mean, ok := o["mean"].(Number)
	low, okLow := o["low"].(Number)
	high, okHigh := o["high"].(Number)
	if !ok || !okLow || !okHigh {
		return stats.Interval{}, fmt.Errorf("report: %v is no interval", o)
	}
	return stats.Interval{Mean: mean.Value, Low: low.Value, High: high.Value}, nil
}

// traced is a value of a result file that knows where it stands.
func traced(file, pointer string, value any) any {
	switch v := value.(type) {
	case map[string]any:
		o := Object{}
		for key, element := range v {
			at := pointer + "/" + escape.Replace(key)
			o[key] = traced(file, at, element)
			if list, ok := element.([]any); ok || element == nil {
				o[key+"_entries"] = Number{file, at, float64(len(list)), strconv.Itoa(len(list)), 1}
			}
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = traced(file, pointer+"/"+strconv.Itoa(i), element)
		}
		return list
	case json.Number:
		x, _ := v.Float64() // what JSON's digits are too large for is infinite
		return Number{file, pointer, x, v.String(), 1}
	}
	return value
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")
