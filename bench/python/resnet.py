"""The residual network of basin as one writes it in PyTorch. Its modules have open_lth's names, so its weights do too."""

import torch
from torch import nn
from torch.nn import functional as F


def norm_of(config: dict, channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels) if config["norm"] == "batch" else nn.GroupNorm(config["groups"], channels)


def prefix_of(config: dict) -> str:
    return "bn" if config["norm"] == "batch" else "gn"


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is a convolution itself where channels double."""

    def __init__(self, config: dict, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.prefix = prefix_of(config)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.add_module(f"{self.prefix}1", norm_of(config, outputs))
        self.add_module(f"{self.prefix}2", norm_of(config, outputs))
        convolution = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
        self.shortcut = nn.Sequential(*([convolution, norm_of(config, outputs)] if stride == 2 else []))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = F.relu(self.get_submodule(f"{self.prefix}1")(self.conv1(x)))
        return F.relu(self.get_submodule(f"{self.prefix}2")(self.conv2(inner)) + self.shortcut(x))


class Resnet(nn.Module):
    """Pictures [B, C, S, S] to logits [B, labels]."""

    def __init__(self, config: dict) -> None:
        super().__init__()
        width, each = config["width"], (config["depth"] - 2) // 6
        self.prefix = prefix_of(config)
        self.conv = nn.Conv2d(config["num_channels"], width, 3, 1, 1, bias=False)
        self.add_module(self.prefix, norm_of(config, width))
        shapes = [(width * 2**segment, segment > 0 and index == 0) for segment in range(3) for index in range(each)]
        self.blocks = nn.ModuleList(
            Block(config, outputs // 2 if halves else outputs, outputs, 2 if halves else 1) for outputs, halves in shapes
        )
        self.fc = nn.Linear(4 * width, config["labels"])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.get_submodule(self.prefix)(self.conv(pictures)))
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean((2, 3)))


def state_of(named: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The module's state from its tensors, with the counts that PyTorch keeps beside running statistics."""
    norms = [name.removesuffix("running_mean") for name in named if name.endswith("running_mean")]
    return named | {f"{norm}num_batches_tracked": torch.tensor(0) for norm in norms}
