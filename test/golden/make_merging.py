"""Writes merging.json beside this file: what mergekit itself gives for small networks, which test/merging/mergekit.test.ts asks of basin's stages.

Run: pip install mergekit==0.1.5, then python make_merging.py. All arithmetic is mergekit's, in float64; only DARE's random draws are replaced
by a Philox 4x32-10 written here, keyed as docs/stages/merging.md says.
"""

import hashlib
import json
import pathlib

import torch
from mergekit.config import ConditionalParameter, evaluate_setting
from mergekit.merge_methods.api import merge_tensors

torch.manual_seed(7)
LAYERS = 4
NAMES = ["vit.embeddings.cls_token"]
for layer in range(LAYERS):
    NAMES += [f"vit.encoder.layer.{layer}.attention.weight", f"vit.encoder.layer.{layer}.output.bias"]
NAMES += ["classifier.weight"]


def network(scale=1.0, around=None):
    sizes = [3 + index % 5 for index in range(len(NAMES))]
    found = {name: scale * torch.randn(size, dtype=torch.float64) for name, size in zip(NAMES, sizes)}
    if around is not None:
        found = {name: around[name] + delta for name, delta in found.items()}
    return {name: rounded(values) for name, values in found.items()}


def rounded(values):
    """To what float32 holds exactly and few digits write."""
    return torch.round(values * 256) / 256


def position(name):
    parts = [int(part) for part in name.split(".") if part.isdigit()]
    return parts[0] / (LAYERS - 1) if parts else 0


def setting_at(setting, name):
    if isinstance(setting, list) and isinstance(setting[0], dict):
        setting = [ConditionalParameter(**entry) for entry in setting]
    return evaluate_setting(name, setting, position(name), validate=float)


def word(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)


def philox(key, counter):
    k, c = list(key), list(counter)
    for _ in range(10):
        first, second = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [
            (second >> 32) ^ c[1] ^ k[0],
            second & 0xFFFFFFFF,
            (first >> 32) ^ c[3] ^ k[1],
            first & 0xFFFFFFFF,
        ]
        k = [(k[0] + 0x9E3779B9) & 0xFFFFFFFF, (k[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


STREAM_DROP = 23
draws = {}


def bernoulli(probabilities):
    """Stands in for torch.bernoulli while DARE merges; `draws` says whose turn it is."""
    seed, networks, tensor = draws["seed"], draws["networks"], draws["tensor"]
    network = networks[draws["turn"] % len(networks)]
    draws["turn"] += 1
    kept = []
    for index, probability in enumerate(probabilities.flatten().tolist()):
        words = philox((seed, 0), (index // 4, word(tensor), word(network), STREAM_DROP))
        kept.append(1.0 if words[index % 4] / 2**32 < probability else 0.0)
    return torch.tensor(kept, dtype=probabilities.dtype).reshape(probabilities.shape)


torch.bernoulli = bernoulli
base = network()
tuned = [network(0.3, base) for _ in range(3)]
near = {name: values + 1 / 256 for name, values in base.items()}
opposite = {name: -values for name, values in base.items()}
zero = {name: torch.zeros_like(values) for name, values in base.items()}


networks = {"base": base, "near": near, "opposite": opposite, "zero": zero}
networks |= {f"tuned {index}": weights for index, weights in enumerate(tuned)}


def name_of(weights):
    return next(name for name, other in networks.items() if other is weights)


cases = []


def case(what, stage, method, params, models, based=None, seed=0):
    """`params` are basin's; those that mergekit has under the same name are handed to it."""
    at = [f'{{"seed":{index + 1}}}' for index in range(len(models))]
    own = params.get("models", [])

    def setting(field, index, default):
        entry = next((e for e in own if e["at"] == {"seed": index + 1} and field in e), {})
        return entry.get(field, params.get(field, default))

    merged = {}
    for name in NAMES:
        draws.update(seed=seed, networks=at, tensor=name, turn=0)
        values = {key: params[key] for key in ("normalize", "lambda") if key in params}
        if method == "slerp":
            values["t"] = setting_at(params["t"], name)
        elif method != "model_stock":
            values["weight"] = [setting_at(setting("weight", i, 1), name) for i in range(len(models))]
        if method in ("ties", "dare_linear", "dare_ties"):
            values["density"] = [setting_at(setting("density", i, 1), name) for i in range(len(models))]
        tensors = [m[name] for m in ([based] if based else []) + models]
        merged[name] = merge_tensors(tensors, method, parameters=values, base_index=0 if based else None, name=name)
    cases.append(
        {
            "what": what,
            "stage": stage,
            "params": params,
            **({"base": name_of(based)} if based else {}),
            "models": [name_of(m) for m in models],
            "expected": {name: [float(f"{value:.9g}") for value in values.tolist()] for name, values in merged.items()},
        }
    )


FILTERS = [{"filter": "attention", "value": [0.2, 0.9]}, {"filter": "bias", "value": 0.7}, {"value": 0.4}]
OWN = [{"at": {"seed": 1}, "weight": 0.6}, {"at": {"seed": 2}, "weight": [0, 1, 0.3]}]
case("one weight for all", "merge-linear", "linear", {}, tuned)
case("weights of their own, over layers", "merge-linear", "linear", {"weight": 0.5, "models": OWN}, tuned)
case("by name, not normalised", "merge-linear", "linear", {"weight": FILTERS, "normalize": False}, tuned)
for what, t in (("at a point", 0.3), ("over layers", [0, 0.5, 0.3, 1]), ("by name", FILTERS)):
    case(what, "merge-slerp", "slerp", {"t": t}, tuned[1:2], tuned[0])
for what, other in (("near", near), ("opposite", opposite), ("zero", zero)):
    case(f"with one that is {what}", "merge-slerp", "slerp", {"t": 0.3}, [other], base)
case("half of the sum", "merge-task-arithmetic", "task_arithmetic", {"lambda": 0.5}, tuned, base)
case("normalised", "merge-task-arithmetic", "task_arithmetic", {"normalize": True, "models": OWN}, tuned, base)
AWAY = [{"at": {"seed": 3}, "weight": -0.5}]
case("one is taken away", "merge-task-arithmetic", "task_arithmetic", {"models": AWAY}, tuned, base)
for density in (0, 0.1, 0.5, 1):
    case(f"density {density}", "merge-ties", "ties", {"density": density}, tuned, base)
case("over layers, with weights", "merge-ties", "ties", {"density": [1, 0.2], "models": OWN, "lambda": 0.7}, tuned, base)
case("one is taken away", "merge-ties", "ties", {"density": 0.6, "models": AWAY, "normalize": False}, tuned, base)
for density in (0, 0.4, 1):
    case(f"density {density}", "merge-dare", "dare_linear", {"density": density, "seed": 5}, tuned, base, 5)
ELECT = {"density": FILTERS, "seed": 9, "elect": True, "normalize": True, "models": OWN}
case("with elected signs", "merge-dare", "dare_ties", ELECT, tuned, base, 9)
case("three networks", "merge-model-stock", "model_stock", {}, tuned, base)
case("two networks", "merge-model-stock", "model_stock", {}, tuned[:2], base)
listed = {name: {key: values.tolist() for key, values in weights.items()} for name, weights in networks.items()}
lines = ",\n  ".join(json.dumps(case) for case in cases)
text = f'{{"networks": {json.dumps(listed)},\n "cases": [\n  {lines}\n]}}\n'
pathlib.Path(__file__).with_name("merging.json").write_text(text)
print(len(cases), "cases")
