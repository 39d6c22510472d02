package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, out: cli.NewStyle(stdout), err: cli.NewStyle(stderr)}
	root := a.root()
	root.SetArgs(args)
	return cli.Execute(ctx, root, stderr, a.err, func() { a.bar.Finish() })
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kn",
		Short: "Knowledge neurons: where a BERT keeps its facts",
		Long: `kn asks a language model for a fact (a masked one such as BERT or RoBERTa, or a
causal one such as GPT-2 or Llama), finds the feed-forward neurons that the
answer's probability comes from (integrated gradients, Dai et al., 2022), and
scales them to see the probability move.

A model is given with --model as
  mini                         the embedded model, where this program has it
  a folder                     in Hugging Face format; never touches the network
  owner/name[@revision]        a repository of the Hugging Face hub

Results are kept in the user's cache folder, or where KN_CACHE says, and found
again when the same is asked; "kn cache clear" empties it.`,
		Example: `  kn predict --model mini --prompt "The capital of France is [MASK]."
  kn attribute --model mini --prompt "The capital of France is [MASK]." --answer Paris --json > paris.json`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.AddCommand(a.tokenize(), a.predict(), a.attribute(), a.neurons(), a.trace(), a.neuron(), a.scale(), a.edit(), a.compare(), a.landscape(),
		a.facts(), a.compareNeurons(), a.export(), a.pretrain(), a.evaluate(), a.exactness(), a.verify(), a.finetune(), a.electra(), a.sweep(), a.merge(), a.reproduce(), a.worker(), a.version(), a.cache())
	return root
}
