package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type tokenizeResult struct {
	Text   string   `json:"text"`
	IDs    []int    `json:"ids"`
	Tokens []string `json:"tokens"`
}

func (a *app) tokenize() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tokenize --model MODEL TEXT",
		Short: "Show the tokens that a model reads a text as",
		Long: `Show the tokens of a text with their ids, those around it such as [CLS] and [SEP]
included. A word's pieces but the first begin with ##. A word that the vocabulary
cannot spell is [UNK].`,
		Example: `  kn tokenize --model mini "The capital of France is [MASK]."
  kn tokenize --model ./bert-base-cased --json "Paris"
  kn tokenize --model mini -- "-1 is a number"`,
		Args: cobra.ExactArgs(1),
		RunE: cli.Checked(func(cmd *cobra.Command, args []string) error {
			m, err := a.load(cmd.Context())
			if err != nil {
				return err
			}
			e := m.Tokenizer().Encode(args[0])
			return a.print(tokenizeResult{args[0], e.IDs, e.Tokens}, func(w *bytes.Buffer) {
				t := newTable(">position", ">id", "token")
				for i, id := range e.IDs {
					t.add(nil, i, id, e.Tokens[i])
				}
				t.write(w, a.out)
			})
		}),
	}
	a.modelFlags(cmd)
	return cmd
}
