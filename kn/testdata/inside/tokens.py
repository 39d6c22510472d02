#!/usr/bin/env python3
"""What integrated gradients give the tokens of a prompt, in float64.

    OMP_NUM_THREADS=1 python tokens.py

Reads small random models that are there already, and writes tokens.json, a list of cases:

    model, prompt, answer, against   the folder (beside this file), what is asked, and the other answer or ""
    baseline, target                 as package kn names them
    ids, at                          what the model reads of the prompt, and where the answer is predicted
    value, value_at_baseline         the target of the prompt and of the baseline
    scores [n]                       (x - b) times the integral of the gradient, by word embeddings
    occlusion [n]                    value less the target with one token at the baseline

The sum of the scores is off by less than 1e-9. Made with torch 2.15.0, transformers 5.24.0, tokenizers 0.23.3.
"""
import json, os
import numpy as np
import torch
import transformers
from make import HERE, rms_norms_in_float64

PROMPT, ANSWER, AGAINST = "The capital of France is", "Paris", "London"
GOLDEN = "../../internal/sharedtest/testdata/golden/model"
CAUSAL = {"gpt2": "gpt2/model", "llama": "llama/model", "qwen3": "../families/qwen3/model"}
MASKED = {"bert": GOLDEN, "distilbert": "../families/distilbert/model", "electra": "../families/electra/model"}


def nodes():
    """Gauss-Legendre rules of 30 nodes on intervals that shrink towards 0: an RMSNorm of a·x changes as late as a²x² ~ ε."""
    x, w = np.polynomial.legendre.leggauss(30)
    edges = [0] + [10 ** (k / 2) for k in range(-28, -2)] + [k / 8 for k in range(1, 9)]
    for low, high in zip(edges, edges[1:]):
        for t, v in zip(low + (x + 1) / 2 * (high - low), w / 2 * (high - low)):
            yield t, v


def softmax_in_float64():
    """Decoders' attention asks for float32 whatever it is given."""
    plain = torch.nn.functional.softmax
    torch.nn.functional.softmax = lambda x, dim=None, dtype=None: plain(x, dim=dim)


class Asked:
    """A prompt with one answer: its log-probability as a function of the prompt's word embeddings."""

    def __init__(self, m, tok, causal, answer):
        self.m, words = m, m.get_input_embeddings().weight
        if causal:
            ids = tok(PROMPT)["input_ids"]
            whole = tok(PROMPT + " " + answer)["input_ids"]
            self.answer, rest = whole[len(ids):], whole[len(ids):-1]
            self.at = [len(ids) - 1 + j for j in range(len(self.answer))]
        else:
            before = tok(PROMPT + " " + tok.mask_token + " .")["input_ids"]
            first = before.index(tok.mask_token_id)
            self.answer, rest = tok(answer, add_special_tokens=False)["input_ids"], []
            ids = before[:first] + [tok.mask_token_id] * len(self.answer) + before[first + 1:]
            self.at = [first + j for j in range(len(self.answer))]
        self.ids, self.rest = ids, words[rest].detach()
        self.x = words[ids].detach()

    def log_probability(self, x):
        logits = self.m(inputs_embeds=torch.cat([x, self.rest])[None]).logits[0]
        return sum(logits[at].log_softmax(-1)[token] for at, token in zip(self.at, self.answer))


def case(folder, causal, answer, against, baseline, target):
    path = os.path.join(HERE, folder)
    tok = transformers.AutoTokenizer.from_pretrained(path)
    kind = transformers.AutoModelForCausalLM if causal else transformers.AutoModelForMaskedLM
    m = kind.from_pretrained(path, attn_implementation="eager", dtype=torch.float64).eval()
    rms_norms_in_float64(m)
    a = Asked(m, tok, causal, answer)
    of = lambda x: a.log_probability(x)
    if against:
        b = Asked(m, tok, causal, against)
        assert a.ids == b.ids
        of = lambda x: a.log_probability(x) - b.log_probability(x)
    elif not target:
        of = lambda x: a.log_probability(x).exp()
    base = torch.zeros_like(a.x)
    if baseline != "zero":
        token = {"mask": tok.mask_token_id, "pad": tok.pad_token_id}[baseline]
        stay = [tok.cls_token_id, tok.sep_token_id, tok.mask_token_id]
        words = m.get_input_embeddings().weight.detach()
        base = torch.stack([words[i] if i in stay else words[token] for i in a.ids])
    scores = torch.zeros(len(a.ids))
    for f, w in nodes():
        x = (base + f * (a.x - base)).requires_grad_(True)
        (g,) = torch.autograd.grad(of(x), x)
        scores += w * ((a.x - base) * g).sum(-1)
    with torch.no_grad():
        value, at_baseline = of(a.x).item(), of(base).item()
        occlusion = []
        for t in range(len(a.ids)):
            x = a.x.clone()
            x[t] = base[t]
            occlusion.append(value - of(x).item())
    assert abs(scores.sum().item() - (value - at_baseline)) < 1e-9
    print(folder, answer, against, baseline, target, value, at_baseline, scores.sum().item() - (value - at_baseline))
    return dict(model=folder, prompt=PROMPT + (" [MASK]" if causal else " [MASK] ."), answer=answer, against=against, baseline=baseline, target=target,
                ids=a.ids, at=a.at[0], value=value, value_at_baseline=at_baseline, scores=scores.tolist(), occlusion=occlusion)


if __name__ == "__main__":
    torch.set_default_dtype(torch.float64)
    softmax_in_float64()
    cases = []
    for name, folder in CAUSAL.items():
        cases.append(case(folder, True, ANSWER, "", "zero", ""))
    cases.append(case(CAUSAL["gpt2"], True, "Mary Anna", "", "zero", ""))
    cases.append(case(CAUSAL["llama"], True, ANSWER, AGAINST, "zero", "logit_difference"))
    for name, folder in MASKED.items():
        cases.append(case(folder, False, ANSWER, "", "zero", ""))
    for baseline in ["mask", "pad"]:
        cases.append(case(MASKED["bert"], False, ANSWER, "", baseline, "log_probability"))
    cases.append(case(MASKED["distilbert"], False, ANSWER, AGAINST, "pad", "logit_difference"))
    with open(os.path.join(HERE, "tokens.json"), "w") as f:
        json.dump(cases, f)
