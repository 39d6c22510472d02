// Package tokenizer turns text into the WordPiece tokens of a BERT, and gives
// for every text the ids, tokens, offsets and token types that Hugging Face's
// BertTokenizerFast gives.
//
// Text goes through four steps:
//
//	split      special tokens such as [MASK] are cut out of the raw text
//	normalise  control characters dropped, white space made plain, CJK set
//	           apart; accents stripped and letters lowered if the model is
//	           uncased
//	words      cut at white space and around every punctuation character
//	pieces     greedy longest match against the vocabulary; pieces after the
//	           first begin with "##"; a word that cannot be spelled is [UNK]
//
// [Open] reads tokenizer.json, or vocab.txt with tokenizer_config.json. [New]
// builds a tokenizer from a list of tokens.
//
// Why it is our own: go-huggingface's hftokenizer v0.4.3 counts a word's length
// and its offsets in bytes where Hugging Face counts characters, keeps format
// and private-use characters that Hugging Face drops, lowers and decomposes by
// other Unicode tables, matches added tokens inside words, and drops CleanText
// and the added tokens' flags. None of that can be mended from outside, since
// the pieces and their offsets are already wrong.
//
// The algorithm is the WordPiece of Schuster and Nakajima (2012) in the form
// that BERT uses: Devlin et al., https://arxiv.org/abs/1810.04805.
package tokenizer
