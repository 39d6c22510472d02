"""Writes the reference values of these tests: python make_testdata.py

electra.json: proposals, weights, variances and focal losses of a small table;
generator/ and discriminator/: ELECTRA models with random weights, and in
forward.json what transformers computes from them. All computed in float64.
"""
import json
import pathlib

import torch
from transformers import ElectraConfig, ElectraForMaskedLM, ElectraForPreTraining

HERE = pathlib.Path(__file__).parent
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", *"123456789"]
VOCABULARY = len(TOKENS)


def dump(name, value):
    text = json.dumps(value)
    (HERE / name).write_text(text + "\n")


def table():
    torch.manual_seed(31)
    p = torch.softmax(1.5 * torch.randn(4, 10, dtype=torch.float64), -1)
    loss = torch.nn.functional.softplus(torch.randn(4, 10, dtype=torch.float64))
    optimal = p * loss / (p * loss).sum(-1, keepdim=True)
    weight, mean = p / optimal, (p * loss).sum(-1)
    original = [1, 4, 0, 8]
    at = p[range(4), original]
    dump("electra.json", {
        "generator": p.tolist(), "detection_loss": loss.tolist(), "sampling_loss_proportional": optimal.tolist(),
        "importance_weight": weight.tolist(), "expected_detection_loss": mean.tolist(), "original": original,
        "variance_generator_sampling": (p * (loss - mean[:, None]) ** 2).sum(-1).tolist(),
        "variance_proportional_sampling": (optimal * (weight * loss - mean[:, None]) ** 2).sum(-1).tolist(),
        "focal": {str(g): (-((1 - at) ** g) * at.log()).tolist() for g in (0, 1, 2, 5)},
    })


def models():
    torch.manual_seed(32)
    ids = torch.randint(5, VOCABULARY, (2, 9))
    mask = torch.tensor([[1] * 9, [1] * 6 + [0] * 3])
    out = {"ids": ids.tolist(), "mask": mask.tolist()}
    for name, kind, hidden, heads in (("generator", ElectraForMaskedLM, 8, 2), ("discriminator", ElectraForPreTraining, 12, 3)):
        config = ElectraConfig(vocab_size=VOCABULARY, embedding_size=12, hidden_size=hidden, num_hidden_layers=2, num_attention_heads=heads,
                               intermediate_size=2 * hidden, max_position_embeddings=16, initializer_range=0.4)
        model = kind(config).eval()
        with torch.no_grad():
            for p in model.parameters():
                if p.dim() == 1:  # biases and norms, which start at 0 and 1
                    p.add_(0.2 * torch.randn_like(p))
        model.save_pretrained(HERE / name)
        (HERE / name / "vocab.txt").write_text("\n".join(TOKENS) + "\n")
        dump(f"{name}/tokenizer_config.json", {"tokenizer_class": "ElectraTokenizer", "do_lower_case": False})
        with torch.no_grad():
            out[name] = model.double()(input_ids=ids, attention_mask=mask).logits.tolist()
    dump("forward.json", out)


if __name__ == "__main__":
    table()
    models()
