#!/usr/bin/env python3
"""Small random checkpoints of causal families, with what PyTorch computes from them in float64.

    OMP_NUM_THREADS=1 python causal.py [FAMILY...]

Writes, for each family, FAMILY/model (a folder as save_pretrained leaves it) and FAMILY/golden.json:

    cases[]         a prompt, up to the answer or to [MASK] in its place, and an answer of one or more tokens
      ids, answer_ids          the tokens; those of the answer
      after_space              whether the answer begins with a space
      logits                   at the last token [V]
      neurons                  what the feed-forward layers' second matrices read there [L][F]
      activations              of several tokens: the mean of these over all positions that predict one [L][F]
      attribution              of the product of the answer's tokens' probabilities, each token given those before it,
                               along a·neurons of one layer at all these positions, by 64 Gauss-Legendre nodes; summed
                               over the positions [L][F]
      probability, zero        this product, and with each layer's neurons at 0 there [L]
      coarse                   the neurons that score at least 0.2 of the largest
      suppressed, amplified    all probabilities at the last token with these multiplied by 0 and by 2 there [V]
      suppressed_probability, amplified_probability
                               the product with these multiplied at all positions that predict
    update          of the first case's coarse set from its answer to another
      updated                  all probabilities after it [V]

The families: gpt2; llama with grouped keys, the scaling "llama3" and byte-level BPE with <|begin_of_text|>; qwen2,
tied; qwen3 with wide heads and the scaling "linear"; mistral in BF16, in two shards, with a window and
SentencePiece's form of BPE.
Made with torch 2.8.0, transformers 4.57.6, tokenizers 0.22.2.
"""
import copy, json, os, shutil, sys
import numpy as np
import torch
import torch.nn.functional as F
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers as pre, processors, trainers
from make import SENTENCES, NEW, scramble

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = [("The capital of France is [MASK].", "Paris"), ("Rome is the capital of", "Italy"), ("Mary was born in ", "London"),
         ("(Mary lives in:\n[MASK])", "Rome"), ("Peter lives in [MASK].", "Rome, London"), ("John plays the", "piano in"), ("Anna speaks", "Parisian")]
LLAMA = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def vocabulary(pre_tokenizer, byte_level):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizer
    t.train_from_iterator([SENTENCES, "Rome", "Rome", "Paris"] * 9, trainers.BpeTrainer(
        vocab_size=360, min_frequency=2, show_progress=False, initial_alphabet=pre.ByteLevel.alphabet() if byte_level else []))
    m = json.loads(t.to_str())["model"]
    return m["vocab"], [tuple(x) for x in m["merges"]]


def byte_level(pre_tokenizer, special, normalizer=None, **model):
    t = Tokenizer(models.BPE(*vocabulary(pre_tokenizer, True), **model))
    t.pre_tokenizer, t.decoder, t.post_processor = pre_tokenizer, decoders.ByteLevel(), processors.ByteLevel(trim_offsets=False)
    if normalizer:
        t.normalizer = normalizer
    t.add_special_tokens([AddedToken(s, normalized=False) for s in special])
    return t


def split(pattern):
    return pre.Sequence([pre.Split(Regex(pattern), "isolated", False), pre.ByteLevel(add_prefix_space=False, use_regex=False)])


def sentence_piece():
    learned, merges = vocabulary(pre.Metaspace(), False)
    words = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + sorted(learned, key=learned.get)
    t = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)])
    t.add_special_tokens([AddedToken(s, normalized=False) for s in words[:3]])
    return t


def in_float64(m):
    """Undoes transformers' own rounding of norms and of rotary positions to float32. Of attention "sdpa" has none."""
    for part in m.modules():
        name = type(part).__name__
        if name.endswith("RMSNorm"):
            part.forward = lambda x, n=part: n.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + n.variance_epsilon))
        elif name.endswith("RotaryEmbedding"):
            def turn(x, positions, r=part):
                angles = positions[..., None].double() * r.inv_freq.double()
                angles = torch.cat((angles, angles), -1)
                return angles.cos() * r.attention_scaling, angles.sin() * r.attention_scaling
            part.forward = turn


def gpt2():
    tok = transformers.GPT2TokenizerFast(tokenizer_object=byte_level(pre.ByteLevel(add_prefix_space=False), ["<|endoftext|>"]))
    end = tok.eos_token_id
    c = transformers.GPT2Config(vocab_size=len(tok), n_positions=40, n_embd=24, n_layer=3, n_head=4, bos_token_id=end, eos_token_id=end,
                                attn_implementation="eager")
    m = transformers.GPT2LMHeadModel(c)
    return tok, m, [b.mlp.c_proj for b in m.transformer.h], lambda layer, i: layer.weight[i]


def llama_like(tok, model, config, **options):
    c = config(vocab_size=len(tok), num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
               bos_token_id=tok.bos_token_id, eos_token_id=tok.eos_token_id, attn_implementation="sdpa", **options)
    m = model(c)
    return tok, m, [l.mlp.down_proj for l in m.model.layers], lambda layer, i: layer.weight[:, i]


def llama():
    special = ["<|begin_of_text|>", "<|end_of_text|>"]
    t = byte_level(split(LLAMA), special, ignore_merges=True)
    begin = (special[0], t.token_to_id(special[0]))
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=True), processors.TemplateProcessing(
        single=f"{special[0]} $A", pair=f"{special[0]} $A {special[0]}:1 $B:1", special_tokens=[begin])])
    tok = transformers.PreTrainedTokenizerFast(tokenizer_object=t, bos_token=special[0], eos_token=special[1])
    scaling = {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 16}
    return llama_like(tok, transformers.LlamaForCausalLM, transformers.LlamaConfig, hidden_size=32, intermediate_size=40, rope_theta=100.0, rope_scaling=scaling)


def qwen(tied, model, config, **options):
    t = byte_level(split(LLAMA.replace("{1,3}", "")), ["<|endoftext|>", "<|im_start|>", "<|im_end|>"], normalizers.NFC())
    tok = transformers.Qwen2TokenizerFast(tokenizer_object=t, eos_token="<|im_end|>")
    return llama_like(tok, model, config, hidden_size=24, intermediate_size=36, tie_word_embeddings=tied, **options)


def qwen2():
    return qwen(True, transformers.Qwen2ForCausalLM, transformers.Qwen2Config, rope_theta=1000.0)


def qwen3():
    return qwen(False, transformers.Qwen3ForCausalLM, transformers.Qwen3Config, head_dim=8, rope_scaling={"rope_type": "linear", "factor": 2.0})


def mistral():
    tok = transformers.LlamaTokenizerFast(tokenizer_object=sentence_piece(), legacy=True)
    return llama_like(tok, transformers.MistralForCausalLM, transformers.MistralConfig, hidden_size=24, intermediate_size=36, sliding_window=32)


class Net:
    def __init__(self, model, outputs):
        self.model, self.outputs = model, outputs  # the modules whose inputs are the neurons

    def probabilities(self, ids, at, change=None, rows=1):
        """All probabilities at some positions [rows, n, V]; change(l, w) gives what takes the place of layer l's neurons w [rows, n, F]."""
        hooks = [o.register_forward_pre_hook(lambda _, args, l=l: (change(l, args[0]),)) for l, o in enumerate(self.outputs)] if change else []
        try:
            return F.softmax(self.model(input_ids=torch.tensor([ids] * rows)).logits[:, at], -1)
        finally:
            for h in hooks:
                h.remove()

    def at(self, ids, at):
        """The neurons at some positions [L, n, F]."""
        kept = {}
        def keep(l, w):
            kept[l] = w[0, at].clone()
            return w
        with torch.no_grad():
            self.probabilities(ids, at, keep)
        return torch.stack([kept[l] for l in range(len(self.outputs))])

    def path(self, ids, at, answer, layer, points):
        """The answer's probability [S] with the layer's neurons set to points [S, n, F]."""
        def change(l, w):
            if l != layer:
                return w
            w = w.clone()
            w[:, at] = points
            return w
        return product(self.probabilities(ids, at, change, len(points)), answer)

    def scaled(self, ids, at, where, chosen, factor):
        """Probabilities at some positions with chosen neurons multiplied at others."""
        def change(l, w):
            w = w.clone()
            for k, i in chosen:
                if k == l:
                    w[:, where, i] *= factor
            return w
        with torch.no_grad():
            return self.probabilities(ids, at, change)


def product(p, answer):
    """Of the probabilities [S, n, V] of the answer's n tokens."""
    return torch.stack([p[:, j, t] for j, t in enumerate(answer)]).prod(0)


def short(x):
    """Numbers to ten digits."""
    if isinstance(x, torch.Tensor):
        x = x.tolist()
    if isinstance(x, float):
        return float(f"{x:.10g}")
    return [short(y) for y in x] if isinstance(x, list) else x


def tokens(tok, prompt, answer):
    """A prompt's and its answer's tokens, as they stand in the whole text."""
    before = prompt.split("[MASK]")[0]
    space = before.endswith(" ") or not ("[MASK]" in prompt)
    before = before.rstrip(" ")
    ids, whole = tok(before)["input_ids"], tok(before + (" " if space else "") + answer)["input_ids"]
    assert whole[:len(ids)] == ids and len(whole) > len(ids), (prompt, tok.convert_ids_to_tokens(whole))
    return ids, whole[len(ids):], space


def make(family, seed):
    out = os.path.join(HERE, family)
    folder = os.path.join(out, "model")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    torch.set_default_dtype(torch.float64)
    tok, m, outputs, vector = globals()[family]()
    tok.save_pretrained(folder)
    scramble(m, seed)
    store = torch.bfloat16 if family == "mistral" else torch.float32
    for p in m.parameters():
        p.data = p.data.to(store).double()
    m.tie_weights()
    m.eval()
    copy.deepcopy(m).to(store).save_pretrained(folder, max_shard_size="40KB" if family == "mistral" else "5GB")
    in_float64(m)
    net = Net(m, outputs)
    x, wt = np.polynomial.legendre.leggauss(64)
    nodes, wt = torch.tensor((x + 1) / 2), torch.tensor(wt / 2)
    cases = []
    for prompt, answer in CASES:
        ids, target, space = tokens(tok, prompt, answer)
        last, all_ids = len(ids) - 1, ids + target[:-1]
        at = list(range(last, len(all_ids)))
        w = net.at(all_ids, at)
        scores, zero = [], []
        for l in range(len(outputs)):
            a = (nodes[:, None, None] * w[l][None]).requires_grad_(True)
            g, = torch.autograd.grad(net.path(all_ids, at, target, l, a).sum(), a)
            scores.append((w[l] * (wt[:, None, None] * g).sum(0)).sum(0))
            with torch.no_grad():
                zero.append(net.path(all_ids, at, target, l, 0 * w[l][None])[0])
        s, zero = torch.stack(scores), torch.stack(zero)
        coarse = torch.nonzero(s >= 0.2 * s.max()).tolist()
        with torch.no_grad():
            logits = m(input_ids=torch.tensor([ids])).logits[0, -1]
            p = product(net.probabilities(all_ids, at), target)[0]
        print(family, repr(prompt), tok.convert_ids_to_tokens(target), "p", f"{p.item():.4g}", "completeness", [f"{e:.1e}" for e in (s.sum(1) - (p - zero)).tolist()], len(coarse))
        mean = dict(activations=short(w.mean(1))) if len(at) > 1 else {}
        cases.append(dict(
            prompt=prompt, answer=answer, ids=ids, answer_ids=target, after_space=space, logits=short(logits), neurons=short(w[:, 0]),
            **mean, attribution=short(s), probability=short(p), zero=short(zero), coarse=coarse,
            suppressed=short(net.scaled(ids, last, last, coarse, 0)[0]), amplified=short(net.scaled(ids, last, last, coarse, 2)[0]),
            suppressed_probability=short(product(net.scaled(all_ids, at, at, coarse, 0), target)[0]),
            amplified_probability=short(product(net.scaled(all_ids, at, at, coarse, 2), target)[0])))
    first = cases[0]
    new = tokens(tok, CASES[0][0], NEW)[1]
    assert len(new) == 1 and len(first["answer_ids"]) == 1
    words = m.get_output_embeddings().weight
    with torch.no_grad():
        old, e = words[first["answer_ids"][0]].clone(), words[new[0]].clone()
        for l, i in first["coarse"]:
            v = vector(outputs[l], i)
            length = v.norm().clone()
            v += -1.0 * length / old.norm() * old + 8.0 * length / e.norm() * e
        updated = net.probabilities(first["ids"], len(first["ids"]) - 1)[0]
    with open(os.path.join(out, "golden.json"), "w") as f:
        json.dump(dict(cases=cases, update=dict(new=NEW, updated=short(updated))), f)


if __name__ == "__main__":
    for i, family in enumerate(["gpt2", "llama", "qwen2", "qwen3", "mistral"]):
        if len(sys.argv) < 2 or family in sys.argv[1:]:
            make(family, 21 + i)
