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

// Result is one result file.
type Result struct {
	all  *Results
	file string
	root any
}

// Object is an object of a result file by its keys, as templates name them:
// {{.neurons.per_fact}}. Its values are objects, lists, strings and
// [Number]s; beside a list NAME there is NAME_entries, their number.
type Object map[string]any

// Object reads a result file whole, "neurons.json" for "neurons".
func (r *Results) Object(name string) Object {
	f := r.File(name)
	o, ok := traced(f.file, "", f.root).(Object)
	if !ok && f.root != nil {
		f.fail("", errors.New("not an object"))
	}
	return o
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

// File reads a result file, "neurons.json" for "neurons".
func (r *Results) File(name string) *Result {
	result := &Result{all: r, file: name + ".json"}
	data, err := os.ReadFile(filepath.Join(r.dir, result.file))
	if err == nil {
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.UseNumber() // keeps the file's digits
		if err = decoder.Decode(&result.root); err != nil {
			err = fmt.Errorf("not JSON: %w", err)
		}
	}
	if err != nil {
		result.fail("", err)
	}
	return result
}

func (r *Result) fail(pointer string, err error) {
	r.all.errs = append(r.all.errs, fmt.Errorf("report: %s#%s: %w", filepath.Join(r.all.dir, r.file), pointer, err))
}

var escape = strings.NewReplacer("~", "~0", "/", "~1")

var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// lookup finds what a JSON pointer (RFC 6901) points to.
func lookup(value any, pointer string) (any, error) {
	if pointer == "" {
		return value, nil
	}
	tokens := strings.Split(pointer, "/")
	if tokens[0] != "" {
		return nil, errors.New("a pointer starts with /")
	}
	for _, token := range tokens[1:] {
		token = unescape.Replace(token)
		switch v := value.(type) {
		case map[string]any:
			var ok bool
			if value, ok = v[token]; !ok {
				return nil, fmt.Errorf("there is no %q", token)
			}
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, fmt.Errorf("there is no %q in a list of %d", token, len(v))
			}
			value = v[i]
		default:
			return nil, fmt.Errorf("there is no %q in a %T", token, value)
		}
	}
	return value, nil
}

// at returns what a pointer points to.
func (r *Result) at(pointer string) any {
	value, err := lookup(r.root, pointer)
	if err != nil {
		r.fail(pointer, err)
	}
	return value
}

// Float returns a number of the file.
func (r *Result) Float(pointer string) float64 {
	x, _ := r.number(pointer)
	return x
}

func (r *Result) number(pointer string) (x float64, raw string) {
	value, ok := r.at(pointer).(json.Number)
	if !ok {
		r.fail(pointer, errors.New("not a number"))
		return 0, "0"
	}
	x, err := value.Float64()
	if err != nil {
		r.fail(pointer, err)
	}
	return x, value.String()
}

// Len returns the number of entries of a list; null has none.
func (r *Result) Len(pointer string) int {
	switch v := r.at(pointer).(type) {
	case []any:
		return len(v)
	case nil:
		return 0
	default:
		r.fail(pointer, errors.New("not a list"))
		return 0
	}
}

// Has says whether the file has something other than null there.
func (r *Result) Has(pointer string) bool {
	value, err := lookup(r.root, pointer)
	return err == nil && value != nil
}

// String returns a string of the file.
func (r *Result) String(pointer string) string {
	s, ok := r.at(pointer).(string)
	if !ok {
		r.fail(pointer, errors.New("not a string"))
	}
	return s
}

// Number prints a number of the file.
func (r *Result) Number(pointer string, f Format) Span {
	x, raw := r.number(pointer)
	return Span{Text: f.Print(x), Number: &Number{r.file, pointer, x, raw, f.scale()}}
}

// Entries prints how many entries a list of the file has.
func (r *Result) Entries(pointer string) Span {
	n := r.Len(pointer)
	return Span{Text: Count.Print(float64(n)), Number: &Number{r.file, pointer, float64(n), strconv.Itoa(n), 1}}
}

// Estimate returns an interval of the file, for rules.
func (r *Result) Estimate(pointer string) stats.Interval {
	return stats.Interval{Mean: r.Float(pointer + "/mean"), Low: r.Float(pointer + "/low"), High: r.Float(pointer + "/high")}
}

// Interval prints an estimate with its confidence interval: 4.92 [4.66, 5.19].
func (r *Result) Interval(pointer string, f Format) Text {
	end := f
	end.Unit = ""
	low, high := r.Number(pointer+"/low", end), r.Number(pointer+"/high", end)
	low.Style, high.Style = Faint, Faint
	return Text{r.Number(pointer+"/mean", f), Small(" ["), low, Small(", "), high, Small("]")}
}
