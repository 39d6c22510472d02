package tokenizer

// The patterns by which GPT-2, Llama 3 and Qwen cut text into words. They look
// ahead, so that package regexp cannot run them, and their classes of characters
// are those of Hugging Face's library, see [kindOf]; other patterns are left to
// regexp2, whose classes are Go's.
const (
	gptPattern   = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
	llamaPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
	qwenPattern  = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
)

// scanners give the number of characters of the first word of a text, which
// has some, by the pattern that they follow.
var scanners = map[string]func(text []char) int{
	gptPattern:   gptWord,
	llamaPattern: func(text []char) int { return llamaWord(text, 3) },
	qwenPattern:  func(text []char) int { return llamaWord(text, 1) },
}

// gptWord follows gptPattern: a word takes the one space before it, and of
// other white space all but the last character stays together.
func gptWord(text []char) int {
	if n := contraction(text, false); n > 0 {
		return n
	}
	first := 0
	if text[0].r == ' ' && len(text) > 1 && kindOf(text[1].r) != space {
		first = 1
	}
	kind, n := kindOf(text[first].r), first+1
	for n < len(text) && kindOf(text[n].r) == kind {
		n++
	}
	if kind == space && n < len(text) && n > 1 {
		n-- // the last one may go with the word behind it
	}
	return n
}

// llamaWord follows llamaPattern, or qwenPattern if numbers have one digit: a
// run of letters takes the one character before it that is none, and line breaks
// go with the signs or the white space before them.
func llamaWord(text []char, digits int) int {
	if n := contraction(text, true); n > 0 {
		return n
	}
	at := func(i int) kind {
		if i < len(text) {
			return kindOf(text[i].r)
		}
		return noKind
	}
	run := func(i int, of kind) int {
		for at(i) == of {
			i++
		}
		return i
	}
	here := at(0)
	switch {
	case here == letter:
		return run(0, letter)
	case here != number && !lineBreak(text[0].r) && at(1) == letter:
		return run(1, letter)
	case here == number:
		n := 1
		for n < digits && at(n) == number {
			n++
		}
		return n
	case here == other || text[0].r == ' ' && at(1) == other:
		n := run(1, other)
		for n < len(text) && lineBreak(text[n].r) {
			n++
		}
		return n
	}
	end := run(0, space)
	for n := end; n > 0; n-- {
		if lineBreak(text[n-1].r) {
			return n
		}
	}
	if end < len(text) && end > 1 {
		end-- // as above
	}
	return end
}

func lineBreak(r rune) bool { return r == '\n' || r == '\r' }

// contraction is the length of 's, 't and so on at the start of text, 0 if
// there is none. Folded, capitals are taken for small letters, and so is ſ for s.
func contraction(text []char, folded bool) int {
	if text[0].r != '\'' {
		return 0
	}
	for _, ending := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
		n := 1
		for n <= len(ending) && n < len(text) && (text[n].r == rune(ending[n-1]) || folded && fold(text[n].r) == rune(ending[n-1])) {
			n++
		}
		if n > len(ending) {
			return n
		}
	}
	return 0
}

// fold is the small letter that a character equals where case does not matter.
func fold(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r + 'a' - 'A'
	case r == 'ſ':
		return 's'
	}
	return r
}
