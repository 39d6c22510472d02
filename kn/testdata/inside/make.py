#!/usr/bin/env python3
"""What transformers computes inside small models in float64.

    OMP_NUM_THREADS=1 python make.py [FAMILY...]

Makes small random causal models, gpt2/model and llama/model, and writes for them and for
../families/distilbert/model FAMILY.json:

    prompt, answer, ids, at    the prompt, its answer, the tokens, and where the answer is predicted
    states                     the embeddings, and the residual stream after each layer [1+L][n][H]
    attention                  attention probabilities [L][A][n][n]
    lens                       the answer's probability by the head on each of states [1+L][n]
    direct                     the logit at `at`, and what embeddings, attention [L] and FFN [L] add to it, each
                               norm's scale and the ratio of the head's activation function frozen: the gradient by
                               each part, times the part
    words                      value vector of neuron 1:3 through the linear part of the head [V]

Made with torch 2.8.0, transformers 4.57.6, tokenizers 0.22.2.
"""
import json, os, sys
import torch
import torch.nn.functional as F
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
SENTENCES = ["The capital of France is Paris.", "The capital of England is London.", "The capital of Italy is Rome.",
             "Paris is the capital of France.", "Mary was born in London. John speaks French.", "Anna plays the piano in Rome."]
PROMPT, ANSWER = "The capital of France is", "Paris"


def tokenizer(start):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    special = ["<s>"] if start else ["<|endoftext|>"]
    t.train_from_iterator(SENTENCES * 9, trainers.BpeTrainer(vocab_size=330, min_frequency=2, special_tokens=special, show_progress=False,
                                                            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    if start:
        t.post_processor = processors.Sequence([t.post_processor, processors.TemplateProcessing(
            single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", t.token_to_id("<s>"))])])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=t, bos_token=special[0], eos_token=special[0], unk_token=special[0])


def gpt2():
    tok = tokenizer(False)
    return tok, transformers.GPT2LMHeadModel(transformers.GPT2Config(
        vocab_size=len(tok), n_embd=16, n_layer=3, n_head=2, n_positions=40, bos_token_id=0, eos_token_id=0, attn_implementation="eager"))


def llama():
    tok = tokenizer(True)
    return tok, transformers.LlamaForCausalLM(transformers.LlamaConfig(
        vocab_size=len(tok), hidden_size=16, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, intermediate_size=24,
        max_position_embeddings=40, bos_token_id=0, eos_token_id=0, attn_implementation="eager"))


def scramble(m, seed):
    """Weights that leave nothing flat, and that float32 holds exactly."""
    g = torch.Generator().manual_seed(seed)
    for name, p in m.named_parameters():
        r = torch.randn(p.shape, generator=g)
        norm = ("norm" in name or "ln_" in name) and name.endswith("weight")
        p.data = (1 + 0.1 * r if norm else (0.1 if name.endswith("bias") else 0.3) * r).float().double()


def centred(x):
    return x - x.mean()


def parts(family, m):
    """The embeddings' module, those that attention and FFN end in, what the head makes of the stream, and of value vectors."""
    if family == "gpt2":
        b = m.transformer
        v = lambda l, i: b.h[l].mlp.c_proj.weight[i]
        return b.drop, [h.attn for h in b.h], [h.mlp for h in b.h], lambda x: m.lm_head(b.ln_f(x)), \
            lambda l, i: m.lm_head.weight @ (b.ln_f.weight * centred(v(l, i)))
    if family == "llama":
        b = m.model
        return b.embed_tokens, [h.self_attn for h in b.layers], [h.mlp for h in b.layers], lambda x: m.lm_head(b.norm(x)), \
            lambda l, i: m.lm_head.weight @ (b.norm.weight * b.layers[l].mlp.down_proj.weight[:, i])
    b = m.distilbert
    head = lambda x: m.vocab_projector(m.vocab_layer_norm(m.activation(m.vocab_transform(x))))
    return b.embeddings, [h.attention.out_lin for h in b.transformer.layer], [h.ffn for h in b.transformer.layer], head, \
        lambda l, i: m.vocab_projector.weight @ (m.vocab_layer_norm.weight * centred(m.vocab_transform.weight @ b.transformer.layer[l].ffn.lin2.weight[:, i]))


def rms_norms_in_float64(m):
    """Decoders' norms compute in float32 whatever they are given."""
    for x in m.modules():
        if type(x).__name__.endswith("RMSNorm"):
            x.forward = lambda y, x=x: y / (y.pow(2).mean(-1, keepdim=True) + x.variance_epsilon).sqrt() * x.weight


def freeze(m, family):
    """Every norm with its scale, and the head's activation function with its ratio, as constants."""
    for x in m.modules():
        if isinstance(x, torch.nn.LayerNorm):
            def forward(y, x=x):
                c = y - y.mean(-1, keepdim=True)
                return c / (c.pow(2).mean(-1, keepdim=True) + x.eps).sqrt().detach() * x.weight + x.bias
            x.forward = forward
        elif type(x).__name__ == "LlamaRMSNorm":
            x.forward = lambda y, x=x: y / (y.pow(2).mean(-1, keepdim=True) + x.variance_epsilon).sqrt().detach() * x.weight
    if family == "distilbert":
        m.activation.forward = lambda z: z * (F.gelu(z) / z).detach()


def make(family, seed):
    torch.set_default_dtype(torch.float64)
    if family == "distilbert":
        folder = os.path.join(HERE, "..", "families", family, "model")
        tok = transformers.AutoTokenizer.from_pretrained(folder)
        m = transformers.AutoModelForMaskedLM.from_pretrained(folder, attn_implementation="eager").double().eval()
        prompt = PROMPT + " [MASK]."
        ids = tok(prompt)["input_ids"]
        at = ids.index(tok.mask_token_id)
        target = tok(prompt.replace("[MASK]", ANSWER))["input_ids"][at]
    else:
        folder = os.path.join(HERE, family, "model")
        tok, m = {"gpt2": gpt2, "llama": llama}[family]()
        scramble(m, seed)
        m.tie_weights()
        m.eval()
        tok.save_pretrained(folder)
        m.float().save_pretrained(folder)
        m.double()
        prompt, ids = PROMPT, tok(PROMPT)["input_ids"]
        at = len(ids) - 1
        target = tok(PROMPT + " " + ANSWER)["input_ids"][len(ids)]
    rms_norms_in_float64(m)
    below, attention, ffn, head, words = parts(family, m)
    states, given = {}, {}

    def keep(place, whole, change):
        def hook(_, __, out):
            x = out[0] if isinstance(out, tuple) else out
            states[place] = x.detach().clone()
            if change:
                x = given[place] = x.detach().clone().requires_grad_(True)
            return (x,) + out[1:] if isinstance(out, tuple) else x
        return whole.register_forward_hook(hook)

    def run(change):
        handles = [keep("embeddings", below, change)]
        for l in range(len(ffn)):
            handles += [keep(("attention", l), attention[l], change), keep(("ffn", l), ffn[l], change)]
        out = m(input_ids=torch.tensor([ids]), output_hidden_states=True, output_attentions=True)
        for h in handles:
            h.remove()
        return out

    with torch.no_grad():
        out = run(False)
        stream = list(out.hidden_states)
        if family != "distilbert":  # the last one has passed the final norm
            stream[-1] = stream[-2] + states[("attention", len(ffn) - 1)] + states[("ffn", len(ffn) - 1)]
        lens = [F.softmax(head(x)[0], -1)[:, target].tolist() for x in stream]
        assert torch.allclose(head(stream[-1]), out.logits)
        value = words(1, 3).tolist()
    freeze(m, family)
    frozen = run(True)
    assert torch.allclose(frozen.logits, out.logits)
    frozen.logits[0, at, target].backward()
    add = lambda place: (given[place].grad * given[place]).sum().item()
    direct = dict(logit=out.logits[0, at, target].item(), mean=out.logits[0, at].mean().item(), embeddings=add("embeddings"),
                  attention=[add(("attention", l)) for l in range(len(ffn))], ffn=[add(("ffn", l)) for l in range(len(ffn))])
    with open(os.path.join(HERE, family + ".json"), "w") as f:
        json.dump(dict(prompt=prompt, answer=ANSWER, ids=ids, at=at, states=[x[0].tolist() for x in stream],
                       attention=[a[0].tolist() for a in out.attentions], lens=lens, direct=direct, words=value), f)
    print(family, tok.convert_ids_to_tokens(ids), direct)


if __name__ == "__main__":
    for i, family in enumerate(["distilbert", "gpt2", "llama"]):
        if len(sys.argv) < 2 or family in sys.argv[1:]:
            make(family, 31 + i)
