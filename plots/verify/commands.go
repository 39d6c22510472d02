package verify

import "strings"

// commands make the results that kn verify does not, by the kind of chart: those
// that take hours, and those that something else shows anew.
var commands = map[string]string{
	"layer distribution":        knowledgeNeurons,
	"shared neurons":            knowledgeNeurons,
	"interventions":             knowledgeNeurons, // of many facts
	"suppressed by relation":    knowledgeNeurons,
	"amplified by relation":     knowledgeNeurons,
	"activation and expression": knowledgeNeurons,
	"expression by relation":    knowledgeNeurons,
	"update rates":              knowledgeNeurons,
	"update lambdas":            knowledgeNeurons,
	"update counts":             knowledgeNeurons,
	"erased perplexity":         knowledgeNeurons,
	"erased perplexity curve":   knowledgeNeurons,
	"erased accuracy curve":     knowledgeNeurons,
	"recipe overlap":            knowledgeNeurons,
	"recipe steps":              knowledgeNeurons,
	"convergence error":         knowledgeNeurons,
	"convergence agreement":     knowledgeNeurons,
	"exactness":                 "kn exactness --model MODEL",

	"attention heads": "kn.Model.Read in a notebook",
	"attention arcs":  "kn.Model.Read in a notebook",

	"training history":   "kn finetune --model MODEL --task TASK --out DIR",
	"dynamics heat map":  fineTuningDynamics,
	"dynamics curves":    fineTuningDynamics,
	"model pairs":        fineTuningDynamics,
	"followed knowledge": fineTuningDynamics,
	"loss curves":        effectiveness,
	"loss surface":       effectiveness,
	"group resets":       effectiveness,
}

const (
	knowledgeNeurons   = "kn reproduce knowledge-neurons --model MODEL --out DIR"
	fineTuningDynamics = "kn reproduce fine-tuning-dynamics --model MODEL --out DIR"
	effectiveness      = "kn reproduce bert-effectiveness --model MODEL --out DIR"
	electraSampling    = "kn reproduce electra-sampling --model MODEL --out DIR"
)

// commandOf is the command that makes the results of a kind of chart, or "".
func commandOf(chart string) string {
	if strings.HasPrefix(chart, "electra ") {
		return electraSampling
	}
	return commands[chart]
}
