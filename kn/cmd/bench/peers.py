"""The published tools that bench measures kn against.

A process that reads one JSON object a line and answers with one:

  {"do": "load", "tool": "knowledge-neurons", "model": FOLDER, "prompts": [...],
   "ids": [[...], ...], "answer": TOKEN, "answer_id": 2123,
   "nodes": 20, "threads": 2}                     ->  {"seconds": ..., "nodes": 20, "about": "..."}
  {"do": "choose"}, what is faster here           ->  the same
  {"do": "warm"}, by a part of the work           ->  the same
  {"do": "run", "scores": FILE}                   ->  {"seconds": ..., "nodes": 20, "about": "..."}

and ends with its input. FILE receives the scores of all prompts as float64,
little endian, [prompts, layers, neurons]. What goes wrong is answered as
{"error": "..."}.

"ids" and "answer_id" are the tokens as kn reads them. A tokenizer that reads
others, in lower case for instance, would make another task of it, and a word
that it does not know would be [UNK] without a warning: that is an error here.
"""

import json
import os
import sys
import time

ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what a library prints is no answer


def load(ask):
    """The model and its tokenizer, once this reads what kn reads."""
    from transformers import BertForMaskedLM, BertTokenizerFast

    model = BertForMaskedLM.from_pretrained(ask["model"], attn_implementation=ask.get("attention")).eval()
    tokenizer = BertTokenizerFast.from_pretrained(ask["model"])
    for prompt, ids in zip(ask["prompts"], ask["ids"], strict=True):
        if (read := tokenizer(prompt)["input_ids"]) != ids:
            raise ValueError(f"BertTokenizerFast reads {prompt!r} as {read}, kn as {ids}: compare the folder's tokenizer files")
    if (read := tokenizer.convert_tokens_to_ids(ask["answer"])) != ask["answer_id"]:
        raise ValueError(f"BertTokenizerFast reads {ask['answer']!r} as {read}, kn as {ask['answer_id']}")
    return model, tokenizer


class KnowledgeNeuronsTool:
    """knowledge-neurons from PyPI, as its documentation shows it."""

    def __init__(self, torch, ask):
        import importlib.metadata

        from knowledge_neurons import KnowledgeNeurons

        self.ask = ask
        self.tool = KnowledgeNeurons(*load(ask), device="cpu")
        self.about = importlib.metadata.version("knowledge-neurons")

    def run(self, prompt):
        n = self.ask["nodes"]
        return self.tool.get_scores(prompt, self.ask["answer"], batch_size=n, steps=n, pbar=False).detach()


class HandTuned:
    """The same integrals by plain PyTorch that computes as little as it can.

    Only the activation at [MASK] depends on the node. So a prompt's forward
    pass is made once, and for a start layer l a batch of N nodes goes through

      layer l      the second half of the FFN, at [MASK]
      layer l + 1  where the other positions' queries, keys and values are
                   those of the forward pass
      layers after that in full, except that
      the last     needs its output at [MASK] only,

    and through the head at [MASK]. The nodes are those of the left Riemann
    sum, 0, 1/N, ..., (N-1)/N.
    """

    def __init__(self, torch, ask):
        self.torch, self.F, self.ask = torch, torch.nn.functional, ask
        self.model, self.tokenizer = load(ask)
        self.model.requires_grad_(False)
        config = self.model.config
        self.heads, self.eps = config.num_attention_heads, config.layer_norm_eps
        self.layers = self.model.bert.encoder.layer
        self.qkv = []  # one matrix instead of three
        for layer in self.layers:
            a = layer.attention.self
            self.qkv.append((
                torch.cat([a.query.weight, a.key.weight, a.value.weight]),
                torch.cat([a.query.bias, a.key.bias, a.value.bias]),
            ))
        if config.hidden_act != "gelu":
            raise ValueError(f"hidden_act is {config.hidden_act}; this program knows gelu")
        self.attend = self.fused
        self.about = torch.__version__

    def choose(self):
        """Take the faster of two ways to write attention, on this machine."""
        taken = {}
        for attend in (self.explicit, self.fused):
            self.attend = attend
            self.run(self.ask["prompts"][0])
            start = time.perf_counter()
            self.run(self.ask["prompts"][0])
            taken[attend] = time.perf_counter() - start
        self.attend = min(taken, key=taken.get)
        form = "scaled_dot_product_attention" if self.attend == self.fused else "attention by matmul and softmax"
        self.about = f"{self.torch.__version__}, {form}"

    def explicit(self, q, k, v):
        p = self.torch.matmul(q, k.transpose(-1, -2)).mul_(q.shape[-1] ** -0.5)
        return self.torch.matmul(self.F.softmax(p, -1), v)

    def fused(self, q, k, v):
        return self.F.scaled_dot_product_attention(q, k, v)

    def split(self, x):  # [N, T, H] -> [N, heads, T, H / heads]
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def norm(self, x, m):
        return self.F.layer_norm(x, x.shape[-1:], m.weight, m.bias, self.eps)

    def after(self, layer, context, x):
        """The layer from its attention's output to the activations' input of the FFN."""
        context = context.transpose(1, 2).flatten(2)  # [N, T, H]
        out = layer.attention.output
        return self.norm(out.dense(context) + x, out.LayerNorm)

    def ffn(self, layer, x):
        h = self.F.gelu(layer.intermediate.dense(x))
        return self.norm(layer.output.dense(h) + x, layer.output.LayerNorm)

    def forward(self, ids, mask):
        """What of each layer does not depend on the node."""
        torch, kept = self.torch, []
        e = self.model.bert.embeddings
        x = e.word_embeddings.weight[ids] + e.position_embeddings.weight[: len(ids)] + e.token_type_embeddings.weight[0]
        x = self.norm(x, e.LayerNorm)[None]  # [1, T, H]
        for layer, (weight, bias) in zip(self.layers, self.qkv):
            q, k, v = (self.split(y) for y in self.F.linear(x, weight, bias).chunk(3, -1))
            attended = self.after(layer, self.attend(q, k, v), x)
            h = self.F.gelu(layer.intermediate.dense(attended))
            out = self.norm(layer.output.dense(h) + attended, layer.output.LayerNorm)
            kept.append((q, k, v, attended[0, mask], h[0, mask], out))
            x = out
        return kept

    def insert(self, fixed, row, mask):
        """fixed [1, T, ...] for every node, with the node's own row [N, 1, ...] at [MASK]."""
        n, before, after = row.shape[0], fixed[:, :mask], fixed[:, mask + 1 :]
        wide = lambda y: y.expand(n, *y.shape[1:])
        return self.torch.cat([wide(before), row, wide(after)], 1)

    def above(self, l, kept, row, mask):
        """The output of the last layer at [MASK] when layer l's there is row [N, H]."""
        torch, last = self.torch, len(self.layers) - 1
        row = row[:, None]  # [N, 1, H]
        x = None  # [N, T, H], once every position depends on the node
        for k in range(l + 1, last + 1):
            layer, (weight, bias) = self.layers[k], self.qkv[k]
            if x is None:  # only the row at [MASK] does
                own = self.F.linear(row, weight, bias).chunk(3, -1)
                fixed = [y.transpose(1, 2).flatten(2) for y in kept[k][:3]]  # [1, T, H]
                query = own[0] if k == last else self.insert(fixed[0], own[0], mask)
                keys, values = (self.insert(f, o, mask) for f, o in zip(fixed[1:], own[1:]))
                x = self.insert(kept[l][5], row, mask)
            elif k < last:
                query, keys, values = self.F.linear(x, weight, bias).chunk(3, -1)
            else:
                size = x.shape[-1]
                row = x[:, mask : mask + 1]
                query = self.F.linear(row, weight[:size], bias[:size])
                keys, values = self.F.linear(x, weight[size:], bias[size:]).chunk(2, -1)
            if k == last:
                x = row
            attended = self.after(layer, self.attend(self.split(query), self.split(keys), self.split(values)), x)
            x = self.ffn(layer, attended)
        return (row if x is None else x)[:, 0]

    def probability(self, x, answer):
        """The answer's probability [N] of the last layer's outputs [N, H]."""
        head = self.model.cls.predictions
        x = self.norm(self.F.gelu(head.transform.dense(x)), head.transform.LayerNorm)
        logits = head.decoder(x)  # [N, V]
        return (logits[:, answer] - self.torch.logsumexp(logits, -1)).exp()

    def run(self, prompt):
        torch, n = self.torch, self.ask["nodes"]
        ids = torch.tensor(self.tokenizer(prompt)["input_ids"])
        mask = ids.tolist().index(self.tokenizer.mask_token_id)
        answer = self.ask["answer_id"]
        nodes = torch.arange(n, dtype=torch.float32)[:, None] / n
        scores = []
        with torch.no_grad():
            kept = self.forward(ids, mask)
        for l, layer in enumerate(self.layers):
            attended, w = kept[l][3], kept[l][4]
            scaled = (nodes * w).requires_grad_()  # [N, F]
            row = self.norm(layer.output.dense(scaled) + attended, layer.output.LayerNorm)
            p = self.probability(self.above(l, kept, row, mask), answer)
            (gradient,) = torch.autograd.grad(p.sum(), scaled)
            scores.append(w * gradient.mean(0))
        return torch.stack(scores)


class AuthorsWay:
    """What the code of Dai et al. (2022) computes, by transformers and a hook.

    The prompt is padded to 128 tokens (or to as many as the model has). For
    each layer the whole model runs on it once for the activation at [MASK],
    and once from its input on a batch of the N activations k/N of that, k from
    0 to N - 1; the head runs at [MASK] only, and autograd goes back from the
    answer's probability to the activations. Not as there: LayerNorm's epsilon
    is the checkpoint's, and only the answer's gradients are computed.
    """

    def __init__(self, torch, ask):
        self.torch, self.ask = torch, ask
        # Their attention is by matmul and softmax; their weights require gradients, as loaded ones do.
        self.model, self.tokenizer = load(ask | {"attention": "eager"})
        self.layers = self.model.bert.encoder.layer
        self.length = min(128, self.model.config.max_position_embeddings)
        self.about = f"{torch.__version__}, padded to {self.length} tokens"

    def warm(self):
        self.layer(*self.read(self.ask["prompts"][0]), 0)

    def run(self, prompt):
        inputs, mask = self.read(prompt)
        return self.torch.stack([self.layer(inputs, mask, l) for l in range(len(self.layers))])

    def read(self, prompt):
        inputs = self.tokenizer(prompt, padding="max_length", max_length=self.length, return_tensors="pt")
        return inputs, inputs["input_ids"][0].tolist().index(self.tokenizer.mask_token_id)

    def probability(self, inputs, mask):
        """The answer's probability [N]."""
        last = self.model.bert(**inputs).last_hidden_state  # [N, T, H]
        logits = self.model.cls(last[:, mask])  # [N, V]
        return self.torch.softmax(logits, -1)[:, self.ask["answer_id"]]

    def layer(self, inputs, mask, l):
        """The scores [F] of layer l."""
        n, found = self.ask["nodes"], {}

        def keep(module, _, h):  # h [1, T, F]
            found["w"] = h[0, mask].detach()

        def replace(module, _, h):  # h [N, T, F]
            h[:, mask] = found["scaled"]
            return h

        def with_hook(hook, inputs):
            handle = self.layers[l].intermediate.register_forward_hook(hook)
            try:
                return self.probability(inputs, mask)
            finally:
                handle.remove()

        with_hook(keep, inputs)
        nodes = self.torch.arange(n, dtype=self.torch.float32)[:, None] / n
        found["scaled"] = (nodes * found["w"]).requires_grad_()  # [N, F]
        p = with_hook(replace, {name: x.repeat(n, 1) for name, x in inputs.items()})
        (gradient,) = self.torch.autograd.grad(p.sum(), found["scaled"])
        return gradient.sum(0) * found["w"] / n


TOOLS = {"knowledge-neurons": KnowledgeNeuronsTool, "pytorch": HandTuned, "authors": AuthorsWay}


def main():
    tool, ask = None, None
    for line in sys.stdin:
        try:
            request = json.loads(line)
            start = time.perf_counter()
            if request["do"] == "load":
                import torch

                torch.set_num_threads(request["threads"])
                ask, tool = request, TOOLS[request["tool"]](torch, request)
            elif request["do"] in ("choose", "warm"):
                getattr(tool, request["do"])()
            else:
                scores = [tool.run(prompt) for prompt in ask["prompts"]]
                seconds = time.perf_counter() - start
                torch.stack(scores).numpy().astype("<f8").tofile(request["scores"])
                start = time.perf_counter() - seconds  # writing them is not what is measured
            answer = {"seconds": time.perf_counter() - start, "nodes": ask["nodes"], "about": tool.about}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=ANSWERS, flush=True)


main()
