package kn

import (
	"maps"
	"slices"
)

// Embedded lists the names of the models that are part of the program, sorted:
// those that [Load] finds without a file or a network.
func Embedded() []string {
	embedded.Lock()
	defer embedded.Unlock()
	return slices.Sorted(maps.Keys(embedded.models))
}
