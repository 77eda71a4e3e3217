"""What is timed: generators that do one unit of work at a time and yield its loss."""

import json
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

import resnet
from platon import Platon
from vit import Vit, state_of


class Material:
    """Weights and preprocessed pictures, as basin wrote them for this comparison."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "about.json").read_text())
        self.config, self.prunable = about["config"], about["prunable"]
        self.order = torch.tensor(about["order"])
        self.labels = torch.tensor(about["labels"])
        shape = about["pictures"]
        self.pictures = read_floats(folder / "pictures.f32", shape)
        self.shapes = about["parameters"]
        self.folder = folder

    def weights(self, file: str) -> dict[str, torch.Tensor]:
        sizes = [torch.Size(shape).numel() for _, shape in self.shapes]
        parts = read_floats(self.folder / file, [sum(sizes)]).split(sizes)
        return {name: part.view(shape) for (name, shape), part in zip(self.shapes, parts)}

    def model(self, options: dict) -> nn.Module:
        if self.config["model"] == "resnet":
            return resnet.Resnet(self.config)
        return Vit(self.config, options["trimmed"])

    def state(self, file: str) -> dict[str, torch.Tensor]:
        if self.config["model"] == "resnet":
            return resnet.state_of(self.weights(file))
        return state_of(self.weights(file), self.config["num_hidden_layers"])


def read_floats(path: Path, shape: list[int]) -> torch.Tensor:
    return torch.from_file(str(path), size=torch.Size(shape).numel(), dtype=torch.float32).clone().view(shape)


def precision_of(options: dict):
    if options["precision"] == "bf16":
        return lambda: torch.autocast("cpu", dtype=torch.bfloat16)
    return nullcontext


def fastest(forms: dict[str, object], attempt) -> object:
    """The form whose attempt takes least time, the best of three; one attempt each before."""
    times: dict[str, float] = {}
    for name, form in forms.items():
        attempt(form)
        if len(forms) == 1:
            return form
        laps = []
        for _ in range(3):
            start = time.perf_counter()
            attempt(form)
            laps.append(time.perf_counter() - start)
        times[name] = min(laps)
    return forms[min(times, key=times.__getitem__)]


def training(material: Material, options: dict, with_platon: bool) -> Iterator[float]:
    """Whole steps: pictures gathered by the epoch's order, AdamW in the form that is faster here, the loss read back."""
    model, precision = material.model(options), precision_of(options)
    forward = torch.compile(model) if options["compiled"] else model
    batch = options["batch"]

    def step(optimizer: torch.optim.Optimizer, indices: torch.Tensor) -> float:
        pictures, labels = material.pictures[indices], material.labels[indices]
        optimizer.zero_grad(set_to_none=True)
        with precision():
            loss = F.cross_entropy(forward(pictures), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    def adamw(form: dict) -> torch.optim.Optimizer:
        model.load_state_dict(material.state("weights.f32"))
        return torch.optim.AdamW(model.parameters(), lr=options["lr"], weight_decay=0.01, **form)

    forms = {"fused": {"fused": True}, "foreach": {"foreach": True}}
    if options["tuned"]:
        tried = {name: (form, adamw(form)) for name, form in forms.items()}
        form, _ = fastest(tried, lambda pair: step(pair[1], material.order[:batch]))
        del tried
    else:
        form = forms["foreach"]
    optimizer = adamw(form)
    platon = None
    if with_platon:
        names = names_in_module(material)
        platon = Platon(model, names, beta1=0.85, beta2=0.95, interval=options["interval"])
    count = 0
    while True:
        for start in range(0, len(material.order), batch):
            loss = step(optimizer, material.order[start : start + batch])
            count += 1
            if platon:
                platon.after_step(count, options["keep"] if count % options["interval"] == 0 else None)
            yield loss


def names_in_module(material: Material) -> list[str]:
    """Names in the module of what is prunable: the tensors of the blocks with two axes."""
    numbered = {name: torch.full(shape, float(name in material.prunable)) for name, shape in material.shapes}
    state = state_of(numbered, material.config["num_hidden_layers"])
    return [name for name, tensor in state.items() if bool(tensor.all())]


@torch.inference_mode()
def loss_of(forward, precision, pictures: torch.Tensor, labels: torch.Tensor, batch: int) -> float:
    """Mean loss of all pictures; the error is counted along with it, as basin does."""
    total = wrong = 0.0
    for start in range(0, len(pictures), batch):
        with precision():
            logits = forward(pictures[start : start + batch]).float()
        truth = labels[start : start + batch]
        total += F.cross_entropy(logits.double(), truth, reduction="sum").item()
        wrong += (logits.argmax(1) != truth).sum().item()
    return total / len(pictures)


def evaluation_batch(forward, material: Material, options: dict) -> int:
    if not options["tuned"]:
        return 32
    sizes = {str(size): size for size in (32, 64, 250)}
    attempt = lambda size: loss_of(forward, precision_of(options), material.pictures[:250], material.labels[:250], size)
    return fastest(sizes, attempt)


def evaluations(material: Material, options: dict) -> Iterator[float]:
    model = material.model(options).eval()
    model.load_state_dict(material.state("weights.f32"))
    forward = torch.compile(model) if options["compiled"] else model
    batch = evaluation_batch(forward, material, options)
    while True:
        yield loss_of(forward, precision_of(options), material.pictures, material.labels, batch)


def sweeps(material: Material, options: dict) -> Iterator[float]:
    """(1 - alpha) a + alpha b, tensor by tensor into the model, then an evaluation; endless, alpha after alpha."""
    model = material.model(options).eval()
    model.load_state_dict(material.state("weights.f32"))
    forward = torch.compile(model) if options["compiled"] else model
    batch = evaluation_batch(forward, material, options)
    a, b = (
        [material.state(file)[name] for name, _ in model.named_parameters()] for file in ("weights.f32", "other.f32")
    )
    while True:
        for alpha in options["alphas"]:
            with torch.no_grad():
                for parameter, start, end in zip(model.parameters(), a, b):
                    torch.lerp(start, end, alpha, out=parameter)
            yield loss_of(forward, precision_of(options), material.pictures, material.labels, batch)


def work_of(options: dict) -> Iterator[float]:
    material = Material(Path(options["folder"]))
    match options["work"]:
        case "train":
            return training(material, options, with_platon=False)
        case "platon":
            return training(material, options, with_platon=True)
        case "eval":
            return evaluations(material, options)
        case "sweep":
            return sweeps(material, options)
        case unknown:
            raise ValueError(f"no work is called {unknown}")
