package cli

import (
	"fmt"
	"os"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Load opens the model that a user named: mini, a folder, or owner/name on the
// hub.
func Load(name string, options ...kn.Option) (*kn.Model, error) {
	m, err := kn.Load(name, options...)
	if _, missing := os.Stat(name); err != nil && missing != nil && strings.Contains(name, "/") && !strings.Contains(err.Error(), "no folder") {
		// It was taken for a name on the hub; perhaps it was meant as a path.
		return nil, fmt.Errorf("%w; and there is no folder %s", err, name)
	}
	return m, err
}
