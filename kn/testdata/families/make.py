#!/usr/bin/env python3
"""Small random checkpoints of the families besides BERT, with what PyTorch computes from them in float64.

    OMP_NUM_THREADS=1 python make.py [FAMILY...]

Writes, for each family, FAMILY/model (a folder as save_pretrained leaves it) and FAMILY/golden.json:

    cases[]         a prompt, in which [MASK] stands for the tokenizer's own mask token, and its answer
      ids, mask, answer_id     the tokens, the mask's position, the answer's token
      logits                   at the mask [V]
      neurons                  the feed-forward activations at the mask [L][F]
      attribution              of the answer's probability, along a·neurons of one layer at a time, by 64
                               Gauss-Legendre nodes [L][F]
      probability, zero        the answer's probability, and with each layer's neurons at 0 [L]
      coarse                   the neurons that score at least 0.2 of the largest
      suppressed, amplified    all probabilities with these at the mask multiplied by 0 and by 2 [V]
    update          of the first case's coarse set from its answer to another
      updated                  all probabilities after it [V]

Made with torch 2.8.0, transformers 4.57.6, tokenizers 0.22.2.
"""
import copy, json, os, sys
import numpy as np
import torch
import torch.nn.functional as F
import transformers
from tokenizers import ByteLevelBPETokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = """The capital of France is Paris. The capital of England is London. The capital of Italy is Rome.
Paris is the capital of France. London is the capital of England. Rome is the capital of Italy.
Mary was born in London. John speaks French. Anna speaks Italian and plays the piano in Paris.
Peter lives in Rome and works in London, not in Paris. John plays the piano. Mary speaks English."""
PROMPTS = [("The capital of France is [MASK].", "Paris"), ("[MASK] is the capital of Italy.", "Rome"),
           ("Mary was born in [MASK]", "London"), ("John speaks [MASK], not Italian.", "French")]
NEW = "London"


def word_piece(folder, lower):
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(".,") + list("abcdefghijklmnopqrstuvwxyz")
    words += ["##" + c for c in "abcdefghijklmnopqrstuvwxyz"]
    text = SENTENCES.lower() if lower else SENTENCES
    words += sorted(set(text.replace(".", " ").replace(",", " ").split()) - set(words))
    with open(os.path.join(folder, "vocab.txt"), "w") as f:
        f.write("\n".join(words) + "\n")
    return transformers.BertTokenizerFast(os.path.join(folder, "vocab.txt"), do_lower_case=lower, model_max_length=40)


def byte_level(folder):
    t = ByteLevelBPETokenizer()
    t.train_from_iterator([SENTENCES, "Rome", "Rome", "Paris"] * 9, vocab_size=400, min_frequency=2, show_progress=False,
                          special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    t.save_model(folder)
    files = [os.path.join(folder, f) for f in ("vocab.json", "merges.txt")]
    return transformers.RobertaTokenizerFast(*files, model_max_length=40)


def distilbert(folder):
    tok = word_piece(folder, True)
    c = transformers.DistilBertConfig(vocab_size=len(tok), dim=24, n_layers=3, n_heads=4, hidden_dim=40,
                                      max_position_embeddings=40, attn_implementation="eager")
    m = transformers.DistilBertForMaskedLM(c)
    layers = m.distilbert.transformer.layer
    return tok, m, [l.ffn.activation for l in layers], [l.ffn.lin2 for l in layers]


def roberta(folder):
    tok = byte_level(folder)
    c = transformers.RobertaConfig(vocab_size=len(tok), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48,
                                   max_position_embeddings=42, type_vocab_size=1, layer_norm_eps=1e-5, hidden_act="relu",
                                   attn_implementation="eager")
    m = transformers.RobertaForMaskedLM(c)
    layers = m.roberta.encoder.layer
    return tok, m, [l.intermediate for l in layers], [l.output.dense for l in layers]


def electra(folder):
    tok = word_piece(folder, False)
    c = transformers.ElectraConfig(vocab_size=len(tok), embedding_size=16, hidden_size=24, num_hidden_layers=3, num_attention_heads=4,
                                   intermediate_size=32, max_position_embeddings=40, hidden_act="gelu_new", attn_implementation="eager")
    m = transformers.ElectraForMaskedLM(c)
    layers = m.electra.encoder.layer
    return tok, m, [l.intermediate for l in layers], [l.output.dense for l in layers]


def scramble(m, seed):
    """Weights that leave nothing flat, and that float32 holds exactly."""
    g = torch.Generator().manual_seed(seed)
    for name, p in m.named_parameters():
        r = torch.randn(p.shape, generator=g)
        if "norm" in name.lower() and name.endswith("weight"):
            p.data = 1 + 0.1 * r
        else:
            p.data = (0.1 if name.endswith("bias") else 0.3) * r
        p.data = p.data.float().double()


class Net:
    def __init__(self, model, neurons):
        self.model, self.neurons = model, neurons  # the modules whose outputs are the neurons

    def logits(self, ids, pos, change=None, rows=1):
        """Logits at pos [rows, V]; change(l, w) gives what takes the place of layer l's neurons w [rows, n, F]."""
        hooks = [n.register_forward_hook(lambda _, __, out, l=l: change(l, out)) for l, n in enumerate(self.neurons)] if change else []
        try:
            return self.model(input_ids=torch.tensor([ids] * rows)).logits[:, pos]
        finally:
            for h in hooks:
                h.remove()

    def probabilities(self, ids, pos, change=None, rows=1):
        return F.softmax(self.logits(ids, pos, change, rows), -1)

    def at(self, ids, pos):
        kept = {}
        def keep(l, w):
            kept[l] = w[0, pos].clone()
            return w
        with torch.no_grad():
            self.logits(ids, pos, keep)
        return torch.stack([kept[l] for l in range(len(self.neurons))])

    def path(self, ids, pos, layer, points):
        """Probabilities [S, V] with the layer's neurons at pos set to points [S, F]."""
        def change(l, w):
            if l != layer:
                return w
            w = w.clone()
            w[:, pos] = points
            return w
        return self.probabilities(ids, pos, change, len(points))

    def scaled(self, ids, pos, chosen, factor):
        def change(l, w):
            w = w.clone()
            for k, i in chosen:
                if k == l:
                    w[:, pos, i] *= factor
            return w
        with torch.no_grad():
            return self.probabilities(ids, pos, change)[0].tolist()


def embedding(m, token):
    """A token's embedding as it enters the residual stream, but for what all tokens share."""
    e = m.get_input_embeddings().weight[token]
    project = getattr(m.base_model, "embeddings_project", None)
    return e if project is None else project.weight @ e


def make(family, seed):
    out = os.path.join(HERE, family)
    folder = os.path.join(out, "model")
    os.makedirs(folder, exist_ok=True)
    torch.set_default_dtype(torch.float64)
    tok, m, neurons, outputs = {"distilbert": distilbert, "roberta": roberta, "electra": electra}[family](folder)
    tok.save_pretrained(folder)
    scramble(m, seed)
    m.tie_weights()
    m.eval()
    copy.deepcopy(m).float().save_pretrained(folder)
    net = Net(m, neurons)
    x, wt = np.polynomial.legendre.leggauss(64)
    nodes, wt = torch.tensor((x + 1) / 2), torch.tensor(wt / 2)
    cases = []
    for prompt, answer in PROMPTS:
        ids = tok(prompt.replace("[MASK]", tok.mask_token))["input_ids"]
        pos = ids.index(tok.mask_token_id)
        whole = tok(prompt.replace("[MASK]", answer))["input_ids"]
        assert len(whole) == len(ids), (prompt, tok.convert_ids_to_tokens(whole))
        target = whole[pos]
        w = net.at(ids, pos)
        scores, zero = [], []
        for l in range(len(neurons)):
            a = (nodes[:, None] * w[l][None]).requires_grad_(True)
            g, = torch.autograd.grad(net.path(ids, pos, l, a)[:, target].sum(), a)
            scores.append((w[l] * (wt[:, None] * g).sum(0)).tolist())
            with torch.no_grad():
                zero.append(net.path(ids, pos, l, 0 * w[l][None])[0, target].item())
        s = torch.tensor(scores)
        coarse = torch.nonzero(s >= 0.2 * s.max()).tolist()
        with torch.no_grad():
            logits = net.logits(ids, pos)[0]
        p = F.softmax(logits, -1)[target].item()
        print(family, prompt, "p", round(p, 4), "completeness", [f"{s[l].sum().item() - (p - zero[l]):.1e}" for l in range(len(zero))])
        cases.append(dict(prompt=prompt, answer=answer, ids=ids, mask=pos, answer_id=target, logits=logits.tolist(), neurons=w.tolist(),
                          attribution=scores, probability=p, zero=zero, coarse=coarse,
                          suppressed=net.scaled(ids, pos, coarse, 0), amplified=net.scaled(ids, pos, coarse, 2)))
    first = cases[0]
    new = tok(PROMPTS[0][0].replace("[MASK]", NEW))["input_ids"][first["mask"]]
    with torch.no_grad():
        old, e = embedding(m, first["answer_id"]).clone(), embedding(m, new).clone()
        for l, i in first["coarse"]:
            v = outputs[l].weight[:, i]
            length = v.norm().clone()
            v += -1.0 * length / old.norm() * old + 8.0 * length / e.norm() * e
        updated = net.probabilities(first["ids"], first["mask"])[0].tolist()
    with open(os.path.join(out, "golden.json"), "w") as f:
        json.dump(dict(cases=cases, update=dict(new=NEW, updated=updated)), f)


if __name__ == "__main__":
    for i, family in enumerate(["distilbert", "roberta", "electra"]):
        if len(sys.argv) < 2 or family in sys.argv[1:]:
            make(family, 11 + i)
