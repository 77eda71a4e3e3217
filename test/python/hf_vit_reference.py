"""Writes test/golden/hf-vit.json: what transformers and torch give for the fixtures where the fixtures themselves do not say.

All in float64. Pictures and the classifier that a bare body lacks come from the generator of golden.json.
Usage: python test/python/hf_vit_reference.py > test/golden/hf-vit.json
"""

import json
import pathlib
import sys

import torch
from transformers import ViTConfig, ViTForImageClassification
import transformers

FIXTURES = pathlib.Path(__file__).parent.parent / "fixtures" / "hf-vit"


def lcg(seed, shape):
    count = 1
    for side in shape:
        count *= side
    values = []
    for _ in range(count):
        seed = (1664525 * seed + 1013904223) % 2**32
        values.append((seed / 2**32 - 0.5) * 2)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def load(fixture, **changes):
    folder = FIXTURES / fixture
    config = ViTConfig.from_pretrained(folder, **changes)
    return ViTForImageClassification.from_pretrained(folder, config=config).double().eval()


def on_disk(name):
    name = name.replace("vit.layers.", "vit.encoder.layer.")
    for short, long in (("q", "query"), ("k", "key"), ("v", "value")):
        name = name.replace(f".attention.{short}_proj.", f".attention.attention.{long}.")
    name = name.replace(".attention.o_proj.", ".attention.output.dense.")
    return name.replace(".mlp.fc1.", ".intermediate.dense.").replace(".mlp.fc2.", ".output.dense.")


def logits(model, side, **options):
    with torch.no_grad():
        return model(lcg(777, (2, 3, side, side)), **options).logits.tolist()


def with_pooler():
    model = load("base-with-pooler", num_labels=4)
    with torch.no_grad():
        model.classifier.weight.copy_(0.2 * lcg(41, model.classifier.weight.shape))
        model.classifier.bias.copy_(0.2 * lcg(42, model.classifier.bias.shape))
    output = model(lcg(777, (8, 3, 32, 32)), labels=torch.arange(8) % 4)
    output.loss.backward()
    return {
        "logits": output.logits.tolist(),
        "loss": output.loss.item(),
        "grad_l2": {on_disk(name): p.grad.norm().item() for name, p in model.named_parameters()},
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.10g}") if isinstance(value, float) else value


ACTIVATIONS = ("gelu_new", "gelu_pytorch_tanh", "relu")
reference = {
    "made_with": {"transformers": transformers.__version__, "torch": torch.__version__},
    "hidden_act": {name: logits(load("p4-32", hidden_act=name), 32) for name in ACTIVATIONS},
    "image_size": {str(side): logits(load("p16-64"), side, interpolate_pos_encoding=True) for side in (32, 96)},
    "base-with-pooler": with_pooler(),
}
json.dump(rounded(reference), sys.stdout, indent=1)
