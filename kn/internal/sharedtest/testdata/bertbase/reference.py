#!/usr/bin/env python3
"""Writes reference.json: what PyTorch computes in float64 from Google's bert-base-cased.

usage: reference.py FOLDER   (the model in Hugging Face format; needs torch and transformers)

For each prompt: the token ids, the logits of the answer and of the five best tokens at [MASK], the answer's
probability, and of every layer the attributions' sum and the ten neurons with the largest scores, by 16
Gauss-Legendre nodes. On this model's smooth paths these are exact to 1e-9 of the largest score.
"""
import json
import pathlib
import sys

import numpy
import torch
import transformers

PROMPTS = [
    ("The capital of Ireland is [MASK].", "Dublin"),
    ("France is governed from [MASK], its capital city.", "Paris"),
    ("People in Brazil mostly speak [MASK].", "Portuguese"),
    ("The violin is a musical [MASK].", "instrument"),
    ("[MASK] is the largest city of Japan.", "Tokyo"),
]
NODES = 16

folder = sys.argv[1]
tokenizer = transformers.BertTokenizerFast(f"{folder}/vocab.txt", do_lower_case=False)
model = transformers.BertForMaskedLM.from_pretrained(folder, attn_implementation="eager").double().eval().requires_grad_(False)
nodes, weights = numpy.polynomial.legendre.leggauss(NODES)
nodes, weights = torch.tensor((nodes + 1) / 2), torch.tensor(weights / 2)
cases = []
for prompt, answer in PROMPTS:
    inputs = tokenizer(prompt, return_tensors="pt")
    mask = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero().item()
    target = tokenizer.convert_tokens_to_ids(answer)
    layers = [layer.intermediate for layer in model.bert.encoder.layer]
    activations = {}
    hooks = [layer.register_forward_hook(lambda _, __, out, l=l: activations.__setitem__(l, out[0, mask].clone())) for l, layer in enumerate(layers)]
    logits = model(**inputs).logits[0, mask]
    for hook in hooks:
        hook.remove()
    best = torch.topk(logits, 5).indices.tolist()
    case = {
        "prompt": prompt, "answer": answer, "ids": inputs["input_ids"][0].tolist(),
        "logits": {str(i): logits[i].item() for i in [target] + best}, "best": best,
        "probability": torch.softmax(logits, -1)[target].item(), "layers": [],
    }
    for l, layer in enumerate(layers):
        rows = (nodes[:, None] * activations[l]).requires_grad_(True)

        def scaled(_, __, out, rows=rows):
            out = out.clone()
            out[:, mask] = rows
            return out

        hook = layer.register_forward_hook(scaled)
        out = model(**{k: v.expand(NODES, -1) for k, v in inputs.items()}).logits[:, mask]
        hook.remove()
        (gradient,) = torch.autograd.grad(torch.softmax(out, -1)[:, target].sum(), rows)
        scores = activations[l] * (weights[:, None] * gradient).sum(0)
        top = torch.topk(scores.abs(), 10).indices.tolist()
        case["layers"].append({"sum": scores.sum().item(), "neurons": top, "scores": scores[top].tolist()})
    cases.append(case)
    print(prompt, case["probability"], file=sys.stderr)
path = pathlib.Path(__file__).parent / "reference.json"
path.write_text(json.dumps({"model": "bert-base-cased", "torch": torch.__version__, "transformers": transformers.__version__, "cases": cases}, indent=1) + "\n")
