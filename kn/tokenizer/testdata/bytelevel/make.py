#!/usr/bin/env python3
"""A small byte-level BPE in RoBERTa's form, and what transformers reads odd texts as with it.

    OMP_NUM_THREADS=1 python make.py [TEXTS [OUT]]

Writes plain/ (as RobertaTokenizerFast leaves it), files/ (vocab.json and merges.txt alone) and cases.json:
{"plain": [[text, ids, offsets], ...], "prefix": ..., "pairs": [[a, b, ids], ...]}, where "prefix" is the tokenizer
with add_prefix_space. [MASK] is in no text, since ours reads it as <mask>.
Made with transformers 4.57.6, tokenizers 0.22.2, from the words below.
"""
import json, os, random, sys
from tokenizers import ByteLevelBPETokenizer
from transformers import RobertaTokenizerFast

HERE = os.path.dirname(os.path.abspath(__file__))
WORDS = """the of and to in a is that for it was on as with his he be at by this had not are but from have they which one you were
her all she there would their we him been has when who will more no if out so said what up its about into than them can only other
capital France Paris London England Rome Italy Berlin Germany Madrid Spain Vienna Austria Tokyo Japan Oslo Norway city country born
language speaks plays piano violin doctor lawyer river mountain don't isn't we've I'm they'll he'd it's you're 1984 2024 3.14 100 café
naïve Zürich São München Straße año 東京 日本 中国 привет мир 🙂 👍🏽 … — “quoted” (now) [list] {set} <tag> https://example.org/a_b?c=d&e=f
walking walked walks walker running runner runs under understand understanding international organization""".split()
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def build():
    rng = random.Random(1)
    lines = [" ".join(rng.choice(WORDS) for _ in range(12)) + rng.choice([".", "\n", "  ", " !", "\t", "\n\n"]) for _ in range(600)]
    t = ByteLevelBPETokenizer()
    t.train_from_iterator(lines, vocab_size=900, min_frequency=2, show_progress=False, special_tokens=SPECIAL)
    os.makedirs(os.path.join(HERE, "files"), exist_ok=True)
    t.save_model(os.path.join(HERE, "files"))
    files = [os.path.join(HERE, "files", f) for f in ("vocab.json", "merges.txt")]
    plain = RobertaTokenizerFast(*files, model_max_length=128)
    plain.save_pretrained(os.path.join(HERE, "plain"))
    for f in ("vocab.json", "merges.txt"):  # tokenizer.json has them too
        os.remove(os.path.join(HERE, "plain", f))
    return plain, RobertaTokenizerFast(*files, model_max_length=128, add_prefix_space=True)


SPACES = [" ", " ", " ", "  ", "   ", "\n", "\t", "\r\n", " \n", "\u00a0", "\u3000", "\u2003 ", "\u200b", "\x0b", "\x85", " \u2028"]
QUOTES = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", " 's", "''", "'", "’s", "'re-", "'x"]
ODD = ["e\u0301", "\u0301", "\ufeff", "\u200d", "\u0000", "\x1f", "\ufffd", "🙂", "👩‍👩‍👧", "🇫🇷", "👍🏽", "ß", "İ", "ﬁ", "½", "①", "٣", "Ⅻ", "一", "〇", "ー",
       "हिन्दी", "ไทย", "עברית", "العربية", "\U00010d50", "\U0001e030", "\u1c89", "\ua7dc", "\U00013460", "\u0870", "\U0001ccf0", "_", "__", "a_b", "$5.00", "#1", "\u00ad"]


def text(rng, names):
    out = []
    for _ in range(rng.choice([0, 1, 2, 3, 5, 8, 13, 20])):
        kind = rng.random()
        if kind < 0.35:
            out.append(rng.choice(WORDS))
        elif kind < 0.5:
            out.append(rng.choice(ODD))
        elif kind < 0.6:
            out.append(rng.choice(QUOTES))
        elif kind < 0.68:
            out.append("".join(rng.choice("abcXYZ0123456789.,!?-'") for _ in range(rng.randrange(1, 9))))
        elif kind < 0.75:
            c = rng.randrange(0x110000)
            out.append(chr(c) if not 0xd800 <= c < 0xe000 else "?")
        elif kind < 0.8:
            out.append(chr(rng.randrange(0x3000)))
        elif kind < 0.84:
            out.append(rng.choice(names))
        if rng.random() < 0.7:
            out.append(rng.choice(SPACES))
    return "".join(out).replace("[MASK]", "")


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    plain, prefix = build()
    rng = random.Random(7)
    cases = {}
    for name, tok in (("plain", plain), ("prefix", prefix)):
        cases[name] = []
        for _ in range(n):
            t = text(rng, SPECIAL)
            e = tok(t, return_offsets_mapping=True)
            cases[name].append([t, e["input_ids"], e["offset_mapping"]])
    cases["pairs"] = []
    for _ in range(max(8, n // 20)):
        a, b = text(rng, ["<mask>"]), text(rng, ["<mask>"]) + "."  # transformers takes "" for none
        e = plain(a, b)
        assert not any(e.get("token_type_ids", [0]))
        cases["pairs"].append([a, b, e["input_ids"]])
    with open(sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "cases.json"), "w") as f:
        json.dump(cases, f, separators=(",", ":"))


if __name__ == "__main__":
    main()
