"""The Vision Transformer of basin as one writes it in PyTorch, with HuggingFace's names for its weights."""

import torch
from torch import nn
from torch.nn import functional as F

LAYER = "vit.encoder.layer"


class Block(nn.Module):
    """A pre-norm transformer block. Query, key and value are one product: it is faster than three, and the same."""

    def __init__(self, width: int, heads: int, inner: int, eps: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_before = nn.LayerNorm(width, eps=eps)
        self.qkv = nn.Linear(width, 3 * width)
        self.attention_output = nn.Linear(width, width)
        self.norm_after = nn.LayerNorm(width, eps=eps)
        self.intermediate = nn.Linear(width, inner)
        self.output = nn.Linear(inner, width)

    def forward(self, rows: torch.Tensor, only_class: bool = False) -> torch.Tensor:
        batch, tokens, width = rows.shape
        qkv = self.qkv(self.norm_before(rows)).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if only_class:
            query, rows = query[:, :, :1], rows[:, :1]
        mixed = F.scaled_dot_product_attention(query, key, value)
        rows = rows + self.attention_output(mixed.transpose(1, 2).flatten(2))
        return rows + self.output(F.gelu(self.intermediate(self.norm_after(rows))))


class Vit(nn.Module):
    """Pictures [B, C, S, S] to logits [B, labels]."""

    def __init__(self, config: dict, only_class: bool) -> None:
        super().__init__()
        width, patch = config["hidden_size"], config["patch_size"]
        tokens = (config["image_size"] // patch) ** 2 + 1
        eps = config["layer_norm_eps"]
        self.only_class = only_class
        self.class_token = nn.Parameter(torch.empty(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, tokens, width))
        self.patches = nn.Conv2d(config["num_channels"], width, patch, patch)
        self.blocks = nn.ModuleList(
            Block(width, config["num_attention_heads"], config["intermediate_size"], eps)
            for _ in range(config["num_hidden_layers"])
        )
        self.norm = nn.LayerNorm(width, eps=eps)
        self.classifier = nn.Linear(width, config["labels"])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        rows = self.patches(pictures).flatten(2).transpose(1, 2)
        rows = torch.cat([self.class_token.expand(rows.shape[0], -1, -1), rows], 1) + self.positions
        for layer, block in enumerate(self.blocks):
            rows = block(rows, self.only_class and layer == len(self.blocks) - 1)
        return self.classifier(self.norm(rows[:, 0]))


def state_of(named: dict[str, torch.Tensor], layers: int) -> dict[str, torch.Tensor]:
    """The module's state from tensors under their HuggingFace names."""
    state = {
        "class_token": named["vit.embeddings.cls_token"],
        "positions": named["vit.embeddings.position_embeddings"],
    }
    linear = {
        "patches": "vit.embeddings.patch_embeddings.projection",
        "norm": "vit.layernorm",
        "classifier": "classifier",
    }
    for layer in range(layers):
        ours, theirs = f"blocks.{layer}", f"{LAYER}.{layer}"
        linear |= {
            f"{ours}.norm_before": f"{theirs}.layernorm_before",
            f"{ours}.attention_output": f"{theirs}.attention.output.dense",
            f"{ours}.norm_after": f"{theirs}.layernorm_after",
            f"{ours}.intermediate": f"{theirs}.intermediate.dense",
            f"{ours}.output": f"{theirs}.output.dense",
        }
        for part in ("weight", "bias"):
            attention = f"{theirs}.attention.attention"
            state[f"{ours}.qkv.{part}"] = torch.cat(
                [named[f"{attention}.{name}.{part}"] for name in ("query", "key", "value")]
            )
    for ours, theirs in linear.items():
        for part in ("weight", "bias"):
            state[f"{ours}.{part}"] = named[f"{theirs}.{part}"]
    return state
