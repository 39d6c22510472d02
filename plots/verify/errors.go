package verify

import "errors"

// The reasons why a figure cannot be verified, besides
// [plots.ErrNoProvenance]. Errors wrap one of them.
var (
	// ErrDamaged: what the figure says does not fit together, or is more than a
	// figure of ours says.
	ErrDamaged = errors.New("the figure's data are damaged")
	// ErrNoModel: no model is given that the figure could be of.
	ErrNoModel = errors.New("the figure's model is not at hand")
	// ErrOtherModel: those that are given have other weights, another
	// configuration or another tokenizer.
	ErrOtherModel = errors.New("the figure is of another model")
	// ErrOtherVersion: another version of this module made the figure, and may
	// compute and draw otherwise.
	ErrOtherVersion = errors.New("the figure was made by another version")
	// ErrTakesHours: the result is that of a sweep or a training, or of a command
	// of its own.
	ErrTakesHours = errors.New("this is not computed here")
)
