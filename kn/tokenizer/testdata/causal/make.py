#!/usr/bin/env python3
"""Small tokenizers with the parts of those of causal models, and what transformers reads odd texts as with them.

    OMP_NUM_THREADS=1 python make.py [TEXTS [OUT]]

Writes KIND/ (as AutoTokenizer reads it) for each kind, and cases.json: {KIND: [[text, ids, offsets], ...]}. The kinds:

    gpt2     GPT-2: byte-level
    smollm   SmolLM: byte-level, each digit by itself
    llama3   Llama 3: byte-level, a pattern of its own, <|begin_of_text|>, ignore_merges
    qwen2    Qwen2: byte-level, a pattern of its own, NFC, added tokens that are not special
    llama2   Llama 2: SentencePiece's, "▁" by the normalizer, characters spelled in bytes, <s>
    mistral  Mistral: likewise, "▁" by the pre-tokenizer and at the start alone
    unknown  likewise, without the bytes above 0x7f: unknown characters, several of which are one
    other    byte-level, with a pattern that belongs to none of them

Made with transformers 4.57.6, tokenizers 0.22.2, from the words and odd characters of ../bytelevel/make.py.
"""
import importlib.util, json, os, random, shutil, sys
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers as pre, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("bytelevel", os.path.join(HERE, "..", "bytelevel", "make.py"))
bytelevel = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bytelevel)

LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN = LLAMA.replace("{1,3}", "")
OTHER = r"[A-Z]?[a-z]+|\d{1,2}| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s"
MORE = ["e\u0323\u0301", "\u1ea1\u0302", "a\u0316\u0301", "\u212b", "\u1100\u1161\u11a8", "\uac00\u11a8", "\u0958", "\u0344", "\U00011935\U00011930",
        "'S", "'ſ", "'LL", "'Ve", " \r\n", "\n\n", "\r", "12345", "1 2", "x1y22", "!\n", "?!\r\n\n", "\t\tx", "▁", "▁▁", " ▁", "<0x41>", "  a", "\U00011de3", "\U00016ff5"]


def lines():
    rng = random.Random(1)
    return [" ".join(rng.choice(bytelevel.WORDS) for _ in range(12)) + rng.choice([".", "\n", "  ", " !", "\t", "\n\n"]) for _ in range(600)]


def trained(pre_tokenizer, size, byte_level=True, normalizer=None):
    """A vocabulary and merges."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizer
    if normalizer:
        t.normalizer = normalizer
    t.train_from_iterator(lines(), trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, show_progress=False, initial_alphabet=pre.ByteLevel.alphabet() if byte_level else []))
    m = json.loads(t.to_str())["model"]
    return m["vocab"], [tuple(x) for x in m["merges"]]


def bytes_of(size, pre_tokenizer, special, normalizer=None, plain=(), **model):
    vocab, merges = trained(pre_tokenizer, size, normalizer=normalizer)
    t = Tokenizer(models.BPE(vocab, merges, **model))
    t.pre_tokenizer, t.decoder = pre_tokenizer, decoders.ByteLevel()
    if normalizer:
        t.normalizer = normalizer
    t.add_special_tokens([AddedToken(s, normalized=False) for s in special])
    t.add_tokens([AddedToken(s, normalized=False) for s in plain])
    return t


def sentence_piece(size, most=256):
    """Its vocabulary: three special tokens, bytes, and what was learned."""
    learned, merges = trained(pre.Metaspace(), size, byte_level=False)
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(most)]
    rare = {"東", "п", "ü", "]"}  # characters that are spelled in bytes
    drop = lambda w: any(c in w for c in rare)
    words += [w for w in sorted(learned, key=learned.get) if not drop(w)]
    merges = [m for m in merges if not drop("".join(m))]
    t = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)])
    t.add_special_tokens([AddedToken(s, normalized=False) for s in words[:3]])
    return t


def template(t, begin):
    return processors.TemplateProcessing(single=f"{begin} $A", pair=f"{begin} $A {begin}:1 $B:1", special_tokens=[(begin, t.token_to_id(begin))])


def split(pattern):
    return pre.Sequence([pre.Split(Regex(pattern), "isolated", False), pre.ByteLevel(add_prefix_space=False, use_regex=False)])


def gpt2(size=400):
    t = bytes_of(size, pre.ByteLevel(add_prefix_space=False), ["<|endoftext|>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return transformers.GPT2TokenizerFast(tokenizer_object=t, model_max_length=1024)


def smollm(size=400):
    t = bytes_of(size, pre.Sequence([pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False, use_regex=True)]), ["<|endoftext|>", "<|im_start|>"])
    return transformers.GPT2TokenizerFast(tokenizer_object=t, vocab_size=size)


def llama3(size=400):
    special = ["<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>"]
    t = bytes_of(size, split(LLAMA), special, ignore_merges=True)
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), template(t, special[0])])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=t, bos_token=special[0], eos_token=special[1], model_input_names=["input_ids", "attention_mask"])


def qwen2(size=400):
    t = bytes_of(size, split(QWEN), ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC(), ["<tool>", "</tool>"])
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    return transformers.Qwen2TokenizerFast(tokenizer_object=t, eos_token="<|im_end|>")


def llama2(size=320):
    t = sentence_piece(size)
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.post_processor = template(t, "<s>")
    return transformers.LlamaTokenizerFast(tokenizer_object=t, legacy=True)


def mistral(size=320):
    t = sentence_piece(size)
    t.pre_tokenizer = pre.Metaspace(prepend_scheme="first", split=False)
    t.post_processor = template(t, "<s>")
    return transformers.LlamaTokenizerFast(tokenizer_object=t, legacy=False)


def unknown(size=320):
    t = sentence_piece(size, 128)
    t.pre_tokenizer = pre.Metaspace(prepend_scheme="always", split=True)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=t, unk_token="<unk>")


def other(size=400):
    t = bytes_of(size, split(OTHER), ["<|endoftext|>"])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=t)


KINDS = dict(gpt2=gpt2, smollm=smollm, llama3=llama3, qwen2=qwen2, llama2=llama2, mistral=mistral, unknown=unknown, other=other)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    cases = {}
    for kind, build in KINDS.items():
        folder = os.path.join(HERE, kind)
        shutil.rmtree(folder, ignore_errors=True)
        build().save_pretrained(folder)
        for f in ("vocab.json", "merges.txt"):  # tokenizer.json has them too
            if os.path.exists(os.path.join(folder, f)):
                os.remove(os.path.join(folder, f))
        tok = transformers.AutoTokenizer.from_pretrained(folder)
        names = list(tok.get_added_vocab())
        rng = random.Random(7)
        cases[kind] = []
        for _ in range(n):
            t = bytelevel.text(rng, names)
            if rng.random() < 0.6:
                at = rng.randrange(len(t) + 1)
                t = t[:at] + rng.choice(MORE) + t[at:]
            if kind == "other":  # its pattern is run by other tables of characters
                t = "".join(c for c in t if ord(c) < 0x250)
            e = tok(t, return_offsets_mapping=True)
            cases[kind].append([t, e["input_ids"], e["offset_mapping"]])
    with open(sys.argv[2] if len(sys.argv) > 2 else os.path.join(HERE, "cases.json"), "w") as f:
        json.dump(cases, f, separators=(",", ":"))


if __name__ == "__main__":
    main()
