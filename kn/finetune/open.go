package finetune

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// OpenData reads the data that a name stands for:
//
//   - a built-in task's name, such as "relation": the task made of facts, see
//     [BuiltIn], in the given sizes;
//   - a folder called MNLI, RTE, SST-2 or MRPC: the task of GLUE, see [ReadGLUE];
//   - another folder: a task of one's own, see [ReadDir];
//   - a file: see [ReadTSV]. A tenth of its examples, drawn by the seed of
//     sizes, is the part "dev", and the others are "train".
func OpenData(name string, known []facts.Fact, sizes Sizes) (*Data, error) {
	if slices.Contains(BuiltInTasks, name) {
		return BuiltIn(name, known, sizes)
	}
	info, err := os.Stat(name)
	switch base := filepath.Base(filepath.Clean(name)); {
	case err != nil:
		return nil, fmt.Errorf("finetune: %q is none of the tasks %q, and neither a folder nor a file: %w", name, BuiltInTasks, err)
	case !info.IsDir():
		data, err := ReadTSV(name, nil)
		if err != nil {
			return nil, err
		}
		return heldOut(data, cmp.Or(sizes.Seed, 1))
	case slices.Contains(GLUETasks, strings.ToLower(base)) || otherGLUE[strings.ToLower(base)] != "":
		return ReadGLUE(base, name)
	default:
		return ReadDir(name)
	}
}

// MustOpenData is [OpenData] for notebook cells: it panics instead of returning an error.
func MustOpenData(name string, known []facts.Fact, sizes Sizes) *Data {
	return kn.Must(OpenData(name, known, sizes))
}

// heldOut makes the parts "train" and "dev" of data of one part.
func heldOut(data *Data, seed uint64) (*Data, error) {
	all := slices.Clone(data.Parts[0].Examples)
	if len(all) < 2 {
		return nil, fmt.Errorf("finetune: %s has one example; a part of them must be left to measure on", data.Name)
	}
	rng := rand.New(rand.NewPCG(seed, 0x5e1d))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n := max(1, len(all)/10)
	return &Data{Name: filepath.Base(data.Name), Labels: data.Labels, Parts: []Part{{"train", all[n:]}, {"dev", all[:n]}}}, nil
}
