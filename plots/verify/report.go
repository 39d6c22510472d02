package verify

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Report says how a figure compares with what was computed again.
type Report struct {
	Chart   string   `json:"chart"`
	Title   string   `json:"title"`
	Models  []string `json:"models"`  // as the figure calls them, one for each result
	Digests []string `json:"digests"` // their SHA-256
	Version string   `json:"version"` // that made the figure

	Tolerance float64 `json:"tolerance"` // as a share of the largest number on an axis
	Numbers   int     `json:"numbers"`   // that were compared
	// Largest is the largest difference of all, in the same unit as Tolerance.
	Largest float64 `json:"largest"`
	// Different counts the numbers, neurons and texts that differ, and
	// Differences are the first of them.
	Different   int          `json:"different"`
	Differences []Difference `json:"differences"`
	// Picture is empty if the file is what its numbers give, drawn by this
	// version, and says otherwise where it differs first.
	Picture string   `json:"picture"`
	Notes   []string `json:"notes"` // on what cannot be verified
}

// Difference is one thing that the figure says and the model does not.
type Difference struct {
	What     string `json:"what"` // and where
	Figure   string `json:"figure"`
	Computed string `json:"computed"`
	// Off is the difference of two numbers in the unit of [Report.Tolerance]; 0
	// where they are none.
	Off float64 `json:"off"`
}

// mostDifferences are as many as a report lists.
const mostDifferences = 50

// Equal says whether the figure's numbers are those that were computed, and its
// picture the one that they give.
func (r *Report) Equal() bool { return r.Different == 0 && r.Picture == "" }

// Table lists what differs, and says what was compared.
func (r *Report) Table() kn.Table {
	t := kn.Table{Title: fmt.Sprintf("%s: %s", r.Title, r.verdict()), Columns: []string{"", "figure", "computed", "off by"}}
	for _, d := range r.Differences {
		off := ""
		if d.Off != 0 {
			off = share(d.Off)
		}
		t.Rows = append(t.Rows, []string{d.What, d.Figure, d.Computed, off})
	}
	if len(r.Differences) < r.Different {
		t.Notes = append(t.Notes, fmt.Sprintf("and %d more", r.Different-len(r.Differences)))
	}
	picture := "the picture is the one that the file's own numbers give"
	if r.Picture != "" {
		picture = "the picture is not the one that the file's own numbers give: " + r.Picture
	}
	t.Notes = append(t.Notes,
		fmt.Sprintf("%s of %s, made by version %s", r.Chart, strings.Join(slices.Compact(slices.Clone(r.Models)), " and "), r.Version),
		fmt.Sprintf("%d numbers, sets and texts compared; numbers differ by %s at most of the largest on their axis, and count as equal up to %s",
			r.Numbers, share(r.Largest), share(r.Tolerance)),
		picture)
	t.Notes = append(t.Notes, r.Notes...)
	return t
}

// String returns [Report.Table] as text.
func (r *Report) String() string { return r.Table().String() }

func (r *Report) verdict() string {
	switch {
	case r.Different > 0:
		return fmt.Sprintf("%d of %d differ", r.Different, r.Numbers)
	case r.Picture != "":
		return "the numbers are equal, the picture is another"
	}
	return "equal"
}

// share writes a share in percent.
func share(x float64) string {
	if math.IsInf(x, 1) {
		return "∞"
	}
	return strconv.FormatFloat(100*x, 'g', 2, 64) + " %"
}
