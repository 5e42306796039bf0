"""A net of fully connected layers as plain tensors: embeddings, periodic features of numbers, residual blocks with batch norm, and its losses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.models.problem import Problem

if TYPE_CHECKING:
    import torch

Array = np.ndarray
WIDEST = 32  # numbers that stand for one category
MIXED = 4    # numbers that stand for one number's waves
MATRICES = (".matrix", ".mix")


@dataclass(frozen=True, slots=True)
class Shape:
    """What the weights depend on: columns of numbers (the first `waved` have waves), levels of each category, outputs a row, and layers."""

    numbers: int
    waved: int
    levels: tuple[int, ...]
    outputs: int
    layers: int
    width: int
    waves: int

    def embedding(self, levels: int) -> int:
        """Numbers that stand for a category of so many levels (the rule of thumb of fastai's tabular learner, up to 32)."""
        return min(WIDEST, max(2, round(1.6 * levels**0.56)))

    @property
    def inputs(self) -> int:
        """Numbers a row that enter the first layer."""
        return self.numbers + self.waved * (MIXED if self.waves else 0) + sum(self.embedding(size) for size in self.levels)


class Net:
    """The net's numbers in two vectors: `learnt` (its first `decayed` are matrices) and `running` of batch norm, cut into named parts."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.sizes = sizes_of(shape)
        self.decayed = sum(math.prod(size) for name, size in self.sizes.items() if name.endswith(MATRICES))
        self.learnt = sum(map(math.prod, self.sizes.values()))

    def fresh(self, sigma: float, generator: "torch.Generator") -> "tuple[torch.Tensor, torch.Tensor]":
        """(learnt, running) before training, on the CPU."""
        import torch

        parts = []
        for name, size in self.sizes.items():
            spread = self._spread(name, size, sigma)
            parts.append(torch.full(size, -spread) if spread <= 0 else torch.empty(size).normal_(0.0, spread, generator=generator))
        running = [torch.zeros(self.shape.width), torch.ones(self.shape.width)] * self.shape.layers
        return torch.cat([part.flatten() for part in parts]), torch.cat([torch.empty(0), *running])

    def _spread(self, name: str, size: tuple[int, ...], sigma: float) -> float:
        """Standard deviation of a part's first values; at most 0: minus the one value that they all have."""
        kind = name.partition(".")[2]
        if kind == "matrix":
            return math.sqrt(2 / max(size[1], 1)) if name != "head.matrix" else 0.1 / math.sqrt(max(size[1], 1))
        return {"scale": -1.0, "bias": 0.0, "frequency": sigma, "mix": 1 / math.sqrt(max(self.shape.waves, 1)), "places": 0.3, "shift": 0.3}[kind]

    def __call__(self, learnt: "torch.Tensor", running: "torch.Tensor", numbers: "torch.Tensor", codes: "torch.Tensor", dropout: float = 0.0,
                 generator: "torch.Generator | None" = None) -> "torch.Tensor":
        """Outputs, rows x outputs. With a generator it trains: batch norm by the rows at hand, which move the running ones, and dropout."""
        from torch.nn import functional

        weights = {name: part.view(size) for (name, size), part in zip(self.sizes.items(), learnt.split([*map(math.prod, self.sizes.values())]))}
        moments = running.split(self.shape.width)
        row = self._entry(weights, numbers, codes)
        for layer in range(self.shape.layers):
            before = row
            row = functional.linear(row, weights[f"layer{layer}.matrix"])
            row = functional.batch_norm(row, moments[2 * layer], moments[2 * layer + 1], weights[f"layer{layer}.scale"],
                                        weights[f"layer{layer}.bias"], training=generator is not None and len(row) > 1)
            row = functional.silu(row)
            if generator is not None and dropout > 0:
                row = row * (row.new_empty(row.shape).uniform_(generator=generator) >= dropout) / (1 - dropout)
            row = row + before if layer else row
        return functional.linear(row, weights["head.matrix"], weights["head.bias"])

    def _entry(self, weights: "Mapping[str, torch.Tensor]", numbers: "torch.Tensor", codes: "torch.Tensor") -> "torch.Tensor":
        """What enters the first layer: numbers, their waves mixed, and embeddings."""
        import torch

        parts = [numbers]
        if "wave.frequency" in weights:
            angle = 2 * math.pi * numbers[:, :self.shape.waved, None] * weights["wave.frequency"]
            waves = torch.cat([angle.sin(), angle.cos()], dim=2)
            parts.append((torch.einsum("rnw,nwm->rnm", waves, weights["wave.mix"]) + weights["wave.shift"]).relu().flatten(1))
        parts += [weights[f"category{place}.places"][codes[:, place]] for place in range(len(self.shape.levels))]
        return torch.cat(parts, dim=1)


def sizes_of(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The learnt parts and their sizes; those that decay come first."""
    waves = shape.waves if shape.waved else 0
    wide = shape.inputs
    matrices: dict[str, tuple[int, ...]] = {}
    others: dict[str, tuple[int, ...]] = {}
    for layer in range(shape.layers):
        matrices[f"layer{layer}.matrix"] = (shape.width, wide)
        others |= {f"layer{layer}.scale": (shape.width,), f"layer{layer}.bias": (shape.width,)}
        wide = shape.width
    matrices["head.matrix"] = (shape.outputs, wide)
    others["head.bias"] = (shape.outputs,)
    others |= {f"category{place}.places": (levels, shape.embedding(levels)) for place, levels in enumerate(shape.levels)}
    if waves:
        others |= {"wave.frequency": (shape.waved, waves), "wave.shift": (shape.waved, MIXED)}
        matrices["wave.mix"] = (shape.waved, 2 * waves, MIXED)
    return matrices | others


class Target:
    """The target as a net learns it: numbers with mean 0 and variance 1 of the training rows, labels as they are; and back."""

    def __init__(self, problem: Problem, train: Array) -> None:
        self._problem = problem
        self.mean, self.spread = 0.0, 1.0
        if not problem.classifies:
            scaled = np.asarray(problem.to_scale(train), dtype=np.float64)
            spread = scaled.std(axis=0)
            self.mean, self.spread = scaled.mean(axis=0), np.where(spread > 0, spread, 1.0)

    def values(self, target: Array) -> Array:
        """int64[rows] of several classes, else float32[rows, outputs]."""
        if self._problem.task == "multiclass":
            return np.asarray(target, dtype=np.int64)
        scaled = target if self._problem.classifies else (self._problem.to_scale(target) - self.mean) / self.spread
        return np.asarray(scaled, dtype=np.float32).reshape(len(target), -1)

    def weights(self, target: Array) -> Array | None:
        """float32[rows, outputs], None where all weigh the same."""
        weights = None if self._problem.classifies else self._problem.weights(target)
        return None if weights is None else np.asarray(weights, dtype=np.float32).reshape(len(target), -1)

    def predictions(self, outputs: "torch.Tensor") -> Array:
        """float64 probabilities or values of a net's outputs: rows, or rows x classes or targets."""
        if self._problem.task == "multiclass":
            return outputs.double().softmax(dim=1).numpy()
        values = outputs.double().sigmoid().numpy() if self._problem.classifies else None
        if values is None:
            values = self._problem.from_scale(outputs.double().numpy() * self.spread + self.mean)
        return values if self._problem.targets else values[:, 0]


def loss_of(problem: Problem, outputs: "torch.Tensor", target: "torch.Tensor", weights: "torch.Tensor | None") -> "torch.Tensor":
    """Mean loss: cross-entropy of classes; squared, absolute or quantile error of numbers, as the metric asks."""
    from torch.nn import functional

    if problem.task == "multiclass":
        return functional.cross_entropy(outputs, target)
    if problem.classifies:
        return functional.binary_cross_entropy_with_logits(outputs, target)
    short = target - outputs
    quantile = problem.loss.quantile
    loss = (short * quantile).maximum(short * (quantile - 1)) if problem.loss.is_quantile else short.square()
    return (loss if weights is None else loss * weights).mean()
