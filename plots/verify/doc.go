// Package verify computes again what a figure shows, and says whether its numbers
// are the ones.
//
//	report, err := verify.Open(ctx, "fact.svg", verify.Options{Models: []*kn.Model{model}})
//	fmt.Println(report)
//
// An SVG that package plots saved holds, in its metadata, the results that are
// drawn: what was asked, of which model by its SHA-256, with which options, edits
// and seed, by which version, and the numbers. [Figure] asks the model again, from
// nothing that is in a cache, and compares. It also draws the figure again from
// the numbers in the file, so that a bar or a label that somebody moved is noticed
// although the metadata are as they were.
//
// # What counts as equal
//
// Numbers are equal if they differ by less than the tolerance, 0.1 % unless told
// otherwise, of the largest number on their axis: a prompt's largest score, a
// chart's largest probability. Float32 sums in another order, as on another
// processor or backend, differ by some 0.0003 %, in kn-mini and in BERT-base, on
// GoMLX's Go backend with and without SIMD and on XLA for the CPU. The adaptive
// rule may then also take other nodes, which moves scores by no more than its own
// tolerance and mostly by much less. A neuron whose score is within the tolerance of the threshold may
// be in a set or not. What was counted or named must be the same.
//
// # What cannot be verified
//
// Names that a figure's author gave (titles, models' names, groups of points) are
// the author's. Neurons that were scaled or suppressed are taken as given, since
// any can be; which neurons hold a fact is verified in the charts of
// [kn.KnowledgeNeurons]. Results that take hours, such as those of a sweep or of
// a training, are not computed: [ErrTakesHours] names the command that does.
//
// # Whom not to trust
//
// A file may come from anybody. It is read up to a limit, its sizes are compared
// with those of the model before anything is computed or drawn, and no model is
// opened, let alone downloaded, because the file names it: only those that are
// given, and those that are part of the program, are asked.
package verify
