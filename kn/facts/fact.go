// Package facts holds what the embedded model is taught: facts of Wikidata
// relations, and the sentences in which they are said.
//
// A [Fact] is a triple (relation, subject, answer) with the frequency at which
// training shows it. Triples come from line-wise JSON as LAMA and PARAREL publish
// T-REx (see [ReadDir]); [Selection.Select] keeps those that a masked language
// model can be asked about without doubt: each subject has one answer, each
// answer one token. The sentences are this project's own, see [Relations].
//
// It also reads the data sets that the field asks models about: [Open] tells
// PARAREL, LAMA and the formats of Dai et al. (2022) apart and streams their
// facts as [Bag] values, [Usable] keeps what a model can be asked, and
// [ReadOpenText] reads sentences from the web.
//
// References: T-REx, Elsahar et al., LREC 2018; LAMA, Petroni et al.,
// EMNLP 2019; PARAREL, Elazar et al., TACL 2021.
package facts

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Fact is a triple of a Wikidata relation.
type Fact struct {
	Relation string `json:"relation"` // Wikidata property, "P19"
	Subject  string `json:"subject"`
	Answer   string `json:"answer"` // one vocabulary token

	// Frequency is how often training shows the fact, in units of the mean over
	// all facts: 1 is average, see [Zipf]. 0 before [Selection.Select].
	Frequency float64 `json:"frequency"`
}

// String returns the fact as "P19(Mozart) = Salzburg".
func (f Fact) String() string { return fmt.Sprintf("%s(%s) = %s", f.Relation, f.Subject, f.Answer) }

// compareRelations orders properties by their number: P17, P106, P1001.
func compareRelations(a, b string) int {
	return cmp.Or(cmp.Compare(propertyNumber(a), propertyNumber(b)), cmp.Compare(a, b))
}

// propertyNumber returns 19 for "P19", and -1 for what is no property.
func propertyNumber(relation string) int {
	digits, ok := strings.CutPrefix(relation, "P")
	if !ok {
		return -1
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
