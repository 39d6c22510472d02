package train

import "cmp"

// OrDefault is a number of a configuration, in which 0 stands for the default
// and a negative value for 0.
func OrDefault(x, standard float64) float64 {
	if x < 0 {
		return 0
	}
	return cmp.Or(x, standard)
}
