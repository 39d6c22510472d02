#!/usr/bin/env python3
"""Answers of several tokens of masked language models, as PyTorch computes them in float64.

    OMP_NUM_THREADS=1 python answers.py

Reads the models beside it, which make.py made, and BERT's of ../../internal/sharedtest/testdata/golden, and adds to
each golden.json (BERT's has nothing else) the key answers:

    answers[]       a prompt, in which [MASK] stands for as many masks as its answer has tokens
      ids, masks, answer_ids   the tokens with all masks, their positions, the answer's tokens
      together, left_to_right  two ways to ask for it:
        probability            the product of the tokens' probabilities, each at its mask: in one pass; or each in a pass
                               in which the masks before its own hold the answer's tokens
        zero                   with each layer's neurons at 0, at all masks; or in each pass at that pass's mask [L]
        activations            the neurons there, the mean over masks, or over passes [L][F]
        attribution            of the probability, along a·neurons of one layer there, with one a for all, by 64
                               Gauss-Legendre nodes; summed over masks, or over passes [L][F]

Made with torch 2.8.0, transformers 4.57.6, tokenizers 0.22.2.
"""
import json, os
import numpy as np
import torch
import transformers
from causal import product, short
from make import Net

HERE = os.path.dirname(os.path.abspath(__file__))
BERT = os.path.join(HERE, "..", "..", "internal", "sharedtest", "testdata", "golden", "model")
ANSWERS = {
    "bert": [("Paris is the capital of [MASK].", "Oslonia"), ("[MASK] is in France.", "The river"), ("Mary works as a [MASK] in Oslo.", "lawyer and actor")],
    "distilbert": [("The capital of France is [MASK].", "the city"), ("[MASK] is the capital of Italy.", "Paris, Rome"), ("Mary was born in [MASK]", "Oslo")],
    "roberta": [("The capital of France is [MASK].", "Parisian"), ("[MASK] is the capital of Italy.", "Rome, Paris"), ("John plays [MASK].", "the piano")],
    "electra": [("The capital of France is [MASK].", "Romes"), ("[MASK] is the capital of Italy.", "Paris, Rome"), ("John plays [MASK], not Italian.", "the piano")],
}


def layers_of(family, m):
    if family == "distilbert":
        return [l.ffn.activation for l in m.distilbert.transformer.layer]
    return [l.intermediate for l in m.base_model.encoder.layer]


def passes(ids, masks, answer, together):
    """Rows of tokens, each with the positions at which it is asked and the tokens there."""
    if together:
        return [(ids, masks, answer)]
    rows = []
    for j in range(len(masks)):
        row = list(ids)
        for at, token in zip(masks[:j], answer):
            row[at] = token
        rows.append((row, masks[j:j + 1], answer[j:j + 1]))
    return rows


def path(net, rows, layer, points):
    """The answer's probability [S] with the layer's neurons in each pass set to its points [S, n, F]."""
    total = 1
    for (ids, at, answer), p in zip(rows, points):
        def change(l, w):
            if l != layer:
                return w
            w = w.clone()
            w[:, at] = p
            return w
        total = total * product(net.probabilities(ids, at, change, len(p)), answer)
    return total


def ask(net, rows):
    x, wt = np.polynomial.legendre.leggauss(64)
    nodes, wt = torch.tensor((x + 1) / 2), torch.tensor(wt / 2)
    w = [net.at(ids, at) for ids, at, _ in rows]  # [L, n, F] of each pass
    scores, zero = [], []
    for l in range(len(net.neurons)):
        points = [(nodes[:, None, None] * v[l][None]).requires_grad_(True) for v in w]
        gradients = torch.autograd.grad(path(net, rows, l, points).sum(), points)
        scores.append(sum((v[l] * (wt[:, None, None] * g).sum(0)).sum(0) for v, g in zip(w, gradients)))
        with torch.no_grad():
            zero.append(path(net, rows, l, [0 * v[l][None] for v in w])[0])
    scores, zero = torch.stack(scores), torch.stack(zero)
    with torch.no_grad():
        p = path(net, rows, -1, [v[0][None] for v in w])[0]
    print("   p", f"{p.item():.4g}", "completeness", [f"{e:.1e}" for e in ((scores.sum(1) - (p - zero)) / p).tolist()])
    return dict(probability=short(p), zero=short(zero), activations=short(torch.cat(w, 1).mean(1)), attribution=short(scores))


def answers(family):
    folder = BERT if family == "bert" else os.path.join(HERE, family, "model")
    tok = transformers.AutoTokenizer.from_pretrained(folder)
    m = transformers.AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager").double().eval()
    net = Net(m, layers_of(family, m))
    out = []
    for prompt, answer in ANSWERS[family]:
        one = tok(prompt.replace("[MASK]", tok.mask_token))["input_ids"]
        whole = tok(prompt.replace("[MASK]", answer))["input_ids"]
        first, n = one.index(tok.mask_token_id), len(whole) - len(one) + 1
        masks, target = list(range(first, first + n)), whole[first:first + n]
        ids = tok(prompt.replace("[MASK]", tok.mask_token * n))["input_ids"]
        assert n > 1 and tok.unk_token_id not in target and [i for i in range(len(ids)) if ids[i] != whole[i]] == masks, tok.convert_ids_to_tokens(whole)
        print(family, repr(prompt), tok.convert_ids_to_tokens(target))
        out.append(dict(prompt=prompt, answer=answer, ids=ids, masks=masks, answer_ids=target,
                        together=ask(net, passes(ids, masks, target, True)), left_to_right=ask(net, passes(ids, masks, target, False))))
    return out


def main():
    for family in ANSWERS:
        path = os.path.join(HERE, family, "golden.json")
        added = '"answers": ' + json.dumps(answers(family)) + "}"
        if family == "bert":
            os.makedirs(os.path.dirname(path), exist_ok=True)
            added = "{" + added
        else:  # what is there keeps its bytes
            before, found, _ = open(path).read().partition(', "answers": ')
            added = (before if found else before.removesuffix("}")) + ", " + added
        with open(path, "w") as f:
            f.write(added)


if __name__ == "__main__":
    main()
