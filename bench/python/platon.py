"""PLATON in PyTorch with the bookkeeping of its published code: a dictionary entry a tensor, one kthvalue over all scores."""

import torch
from torch import nn


class Platon:
    def __init__(self, model: nn.Module, prunable: list[str], *, beta1: float, beta2: float, interval: int) -> None:
        self.parameters = {name: p for name, p in model.named_parameters() if name in prunable}
        self.beta1, self.beta2, self.interval = beta1, beta2, interval
        zeros = lambda: {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self.window, self.importance, self.uncertainty = zeros(), zeros(), zeros()

    @torch.no_grad()
    def after_step(self, step: int, kept: float | None) -> None:
        """Scores after the update of a step counted from 1; `kept` is the fraction to keep where the step masks."""
        place = step % self.interval
        for name, parameter in self.parameters.items():
            window, importance, uncertainty = self.window[name], self.importance[name], self.uncertainty[name]
            sensitivity = (parameter * parameter.grad).abs()
            if place == 0:
                importance.mul_(self.beta1).add_(window, alpha=1 - self.beta1)
                uncertainty.mul_(self.beta2).add_((window - importance).abs(), alpha=1 - self.beta2)
                window.copy_(sensitivity)
            else:
                window.mul_(place).add_(sensitivity).div_(place + 1)
        if kept is not None:
            self.mask(kept)

    def mask(self, kept: float) -> None:
        scores = {name: self.importance[name] * self.uncertainty[name] for name in self.parameters}
        all_scores = torch.cat([score.flatten() for score in scores.values()])
        k = int(all_scores.numel() * (1 - kept))
        if k == 0:
            return
        threshold = torch.kthvalue(all_scores, k).values.item()
        for name, parameter in self.parameters.items():
            parameter.masked_fill_(scores[name] < threshold, 0.0)
