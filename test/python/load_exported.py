"""Loads folders with transformers, as a person would, and prints a JSON list of what it says of each and the logits of pictures
from the generator of golden.json. Usage: load_exported.py FOLDER…"""

import json
import sys

import torch
import transformers
from transformers import ViTForImageClassification

# In transformers 5 the processor that resizes with Pillow has a name of its own; before, it is the one.
Processor = getattr(transformers, "ViTImageProcessorPil", None) or transformers.ViTImageProcessor


def lcg(seed, shape):
    values = []
    for _ in range(shape[0] * shape[1] * shape[2] * shape[3]):
        seed = (1664525 * seed + 1013904223) % 2**32
        values.append((seed / 2**32 - 0.5) * 2)
    return torch.tensor(values, dtype=torch.float32).reshape(shape)


def loaded(folder):
    model, told = ViTForImageClassification.from_pretrained(folder, output_loading_info=True)
    processor = Processor.from_pretrained(folder)
    pictures = lcg(777, (2, model.config.num_channels, model.config.image_size, model.config.image_size))
    flags = ("do_resize", "do_rescale", "do_normalize", "rescale_factor", "image_mean", "image_std")
    with torch.no_grad():
        logits = model.eval()(pictures).logits.tolist()
    return {
        "told": {name: sorted(map(str, told[name])) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")},
        "architectures": model.config.architectures,
        "labels": [model.config.id2label[label] for label in range(model.config.num_labels)],
        "hidden_act": model.config.hidden_act,
        "processor": {name: getattr(processor, name) for name in flags},
        "size": dict(processor.size),
        "logits": logits,
    }


json.dump([loaded(folder) for folder in sys.argv[1:]], sys.stdout)
