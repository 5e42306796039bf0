"""A net of fully connected layers in PyTorch; its rounds are epochs, each with weights averaged over the last steps."""

import base64
import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from kagglekit.errors import KKError
from kagglekit.fold import Data, Fold
from kagglekit.models.encoders import encoded
from kagglekit.models.family import family
from kagglekit.models.mlp_net import Net, Shape, Target, loss_of
from kagglekit.models.mlp_table import Table, texts_of
from kagglekit.models.problem import Problem
from kagglekit.registry import near_names

if TYPE_CHECKING:
    import torch

Array = np.ndarray
MOMENTS = ("step", "exp_avg", "exp_avg_sq")
BLOCK = 8192  # rows predicted at once
WARM = 50     # steps until the full learning rate
MAX_EPOCHS = 30
KNOWN = {"layers": 3, "width": 256, "waves": 8, "sigma": 0.3, "dropout": 0.2, "learning_rate": 0.002, "weight_decay": 0.3, "batch_size": 0,
         "device": "auto", "num_threads": 1, "epochs": 0, "max_rounds": MAX_EPOCHS, "patience": 8, "average": 1.0}
LEAST = {"layers": 0, "width": 1, "waves": 0, "sigma": 0, "dropout": 0, "learning_rate": 0, "weight_decay": 0, "batch_size": 0, "num_threads": 1,
         "epochs": 0, "max_rounds": 1, "patience": 1, "average": 0}
_encoding = threading.Lock()  # encoders filter warnings, which is not for threads


class MLPStage:
    """One fold's net. Its curve is the training loss on the validated rows after each epoch: log loss, or an error of the scaled target."""

    def __init__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> None:
        import torch

        self._problem, self._params, self._seed, self._fold, self._clock = problem, settings(params), seed, fold, clock
        self._device = torch.device(device_of(str(self._params["device"])))
        self.curve: list[float] = []
        self._parts, self._tensors, self._kept = None, {}, []
        with _encoding:
            self._parts = encoded(fold, "categories", clock)
        with clock.stage("encode"):
            self._table, self._target = Table(self._parts.train, texts_of(fold, self._parts.train.columns)), Target(problem, fold.target_train)
        p = self._params
        self._net = Net(Shape(self._table.width, self._table.waved, self._table.sizes, problem.width, p["layers"], p["width"], p["waves"]))
        learnt, self._running = (part.to(self._device) for part in self._net.fresh(p["sigma"], torch.Generator().manual_seed(seed)))
        self._average, self._steps = torch.cat([learnt, self._running]), 0
        self._learnt = [part.clone().requires_grad_() for part in learnt.split([self._net.decayed, self._net.learnt - self._net.decayed])]
        self._optimizer = self._made_optimizer()
        if saved:
            self._restore(json.loads(saved))

    def advance(self, rounds: int) -> None:
        """Train to `rounds` epochs in all."""
        with fixed_threads(self._params["num_threads"]):
            while len(self.curve) < rounds:
                with self._clock.stage("fit"):
                    self._epoch(len(self.curve))
                self.curve.append(self._loss())
                self._kept.append(self._average.cpu().clone())

    def predict(self, rounds: int, test_rounds: int | None = None) -> tuple[Array, Array | None]:
        """Predictions of the validated rows after `rounds` and of the test rows after `test_rounds` (None: as many; 0: None is given)."""
        with fixed_threads(self._params["num_threads"]), self._clock.stage("predict"):
            valid = self._target.predictions(self._outputs("valid", self._kept[rounds - 1]).cpu()) if len(self._fold.valid) else np.empty(0)
            if test_rounds == 0:
                return valid, None
            return valid, self._target.predictions(self._outputs("test", self._kept[(test_rounds or rounds) - 1]).cpu())

    def dump(self) -> str:
        """Weights of each epoch, the optimiser's state and the curve as text: training goes on from it as if it had not stopped."""
        import torch

        arrays = {"running": self._running, "average": self._average, "kept": torch.stack(self._kept)}
        for number, part in enumerate(self._learnt):
            state = self._optimizer.state[part]
            arrays |= {f"learnt{number}": part.detach(), **{f"{key}{number}": state[key] for key in MOMENTS}}
        buffer = io.BytesIO()
        np.savez(buffer, **{name: array.cpu().numpy() for name, array in arrays.items()})
        return json.dumps({"curve": self.curve, "steps": self._steps, "arrays": base64.b64encode(buffer.getvalue()).decode()})

    def _restore(self, content: dict) -> None:
        self.curve, self._steps = content["curve"], content["steps"]
        with np.load(io.BytesIO(base64.b64decode(content["arrays"])), allow_pickle=False) as archive:
            found = {name: aligned(archive[name]) for name in archive.files}
        self._running, self._average = found["running"].to(self._device), found["average"].to(self._device)
        self._kept = [one.clone() for one in found["kept"]]
        for number, part in enumerate(self._learnt):
            part.data.copy_(found[f"learnt{number}"])
            self._optimizer.state[part] = {key: found[f"{key}{number}"].to(self._device) for key in MOMENTS}

    def _made_optimizer(self) -> "torch.optim.Optimizer":
        import torch

        groups = [{"params": [part], "weight_decay": decay} for part, decay in zip(self._learnt, (self._params["weight_decay"], 0.0))]
        return torch.optim.AdamW(groups, lr=self._params["learning_rate"], betas=(0.9, 0.99), fused=True)

    def _epoch(self, number: int) -> None:
        import torch

        numbers, codes, target, weights = self._rows("train")
        shuffle = torch.Generator().manual_seed(self._seed * 100_003 + number)
        noise = torch.Generator(self._device).manual_seed(self._seed * 100_003 + number)
        order = torch.randperm(len(numbers), generator=shuffle).to(self._device)
        batches = torch.tensor_split(order, max(1, round(len(order) / self._batch())))
        for place, rows in enumerate(batches):
            self._pace((number + place / len(batches)) / self._planned())
            outputs = self._net(torch.cat(self._learnt), self._running, numbers[rows], codes[rows], self._params["dropout"], noise)
            loss = loss_of(self._problem, outputs, target[rows], None if weights is None else weights[rows])
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            self._steps += 1
            self._follow(len(batches))

    def _pace(self, progress: float) -> None:
        """The learning rate: up over the first steps, then down a half cosine to nothing at the last epoch planned."""
        rate = self._params["learning_rate"] * min(1.0, (self._steps + 1) / WARM) * (0.5 + 0.5 * np.cos(np.pi * min(progress, 1.0)))
        for group in self._optimizer.param_groups:
            group["lr"] = rate

    def _follow(self, steps: int) -> None:
        """Move the averaged weights towards those of this step: they hold about the last `average` epochs."""
        import torch

        share = 1 / min(self._steps, max(1.0, self._params["average"] * steps))
        with torch.no_grad():
            self._average.lerp_(torch.cat([*self._learnt, self._running]), share)

    def _planned(self) -> int:
        return self._params["epochs"] or self._params["max_rounds"]

    def _batch(self) -> int:
        return self._params["batch_size"] or batch_of(len(self._fold.target_train))

    def _loss(self) -> float:
        if not len(self._fold.valid):
            return float("nan")
        with self._clock.stage("predict"):
            _, _, target, weights = self._rows("valid")
            loss = float(loss_of(self._problem, self._outputs("valid", self._average), target, weights))
        if not np.isfinite(loss):
            raise KKError(f"mlp: the loss is {loss} after epoch {len(self.curve) + 1}", "Lower it: --set learning_rate=0.0005")
        return loss

    def _outputs(self, part: str, average: "torch.Tensor") -> "torch.Tensor":
        import torch

        numbers, codes, _, _ = self._rows(part)
        learnt, running = average.to(self._device).split([self._net.learnt, len(average) - self._net.learnt])
        with torch.no_grad():
            return torch.cat([self._net(learnt, running, numbers[at:at + BLOCK], codes[at:at + BLOCK]) for at in range(0, len(numbers), BLOCK)])

    def _rows(self, part: str) -> tuple:
        """Numbers, codes, target and weights of the rows of train, valid or test, on the device."""
        if part not in self._tensors:
            arrays = [*self._table.transform(getattr(self._parts, part)), None, None]
            if part != "test":
                target = self._fold.target_train if part == "train" else self._fold.data.target[self._fold.valid]
                arrays[2:] = self._target.values(target), self._target.weights(target)
            self._tensors[part] = tuple(None if array is None else aligned(array).to(self._device) for array in arrays)
        return self._tensors[part]


class Prepared:
    """The stage function: a fold a thread on the CPU, one fold after the other on an accelerator."""

    shared = ()

    def __init__(self, workers: int) -> None:
        self.workers = workers

    @staticmethod
    def quiet() -> None:
        """Nothing to do: stages fix the number of threads themselves."""

    def __call__(self, problem: Problem, params: Mapping, seed: int, fold: Fold, clock: object, saved: str = "") -> MLPStage:
        """The stage of one fold."""
        return MLPStage(problem, params, seed, fold, clock, saved)


def prepare(problem: Problem, params: Mapping, data: Data, used: Array, clock: object, *, folds: int, threads: int) -> Prepared:
    """How many folds train at once. Raises KKError for parameters that the net does not take."""
    made = settings(params)
    on_cpu = device_of(str(made["device"])) == "cpu"
    return Prepared(max(1, min(folds, threads // made["num_threads"])) if on_cpu else 0)


def settings(params: Mapping) -> dict:
    """All parameters; raises KKError for an unknown one and for values that no net can have."""
    for key in params:
        if key not in KNOWN:
            raise KKError(f"mlp does not take the parameter {key!r}", f"{near_names(key, KNOWN)}Known: {', '.join(sorted(KNOWN))}")
    made = {**KNOWN, **params}
    for key, least in LEAST.items():
        value, whole = made[key], isinstance(KNOWN[key], int)
        fits = isinstance(value, (int, float)) and not isinstance(value, bool) and least <= value < np.inf and not (whole and value != int(value))
        if not fits or (key == "dropout" and value >= 1):
            raise KKError(f"mlp: {key} = {value!r} is no {'whole ' * whole}number of at least {least}{' and below 1' * (key == 'dropout')}",
                          f"As in --set {key}={KNOWN[key] or 128}")
        made[key] = int(value) if whole else float(value)
    return made


def device_of(wish: str) -> str:
    """The device of torch that a wish stands for; 'auto' takes CUDA or MPS where there is one."""
    import torch

    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = wish.partition(":")[0]
    if wish != "auto" and not here.get(kind):
        raise KKError(f"mlp: there is no device {wish!r} here", f"Take {' or '.join(name for name in here if here[name])}, or leave device out")
    return next(name for name, found in here.items() if found) if wish == "auto" else wish


def aligned(array: Array) -> "torch.Tensor":
    """A tensor in memory of torch's own: where numpy's begins differs from run to run, and with it the last bits of sums."""
    import torch

    return torch.from_numpy(array).clone()


def batch_of(rows: int) -> int:
    """Rows of a batch: about 200 steps an epoch, as a power of two from 32 to 2048.

    >>> batch_of(500), batch_of(100_000)
    (32, 512)
    """
    return int(2 ** np.clip(np.round(np.log2(max(rows, 1) / 200)), 5, 11))


@contextmanager
def fixed_threads(count: int) -> Iterator[None]:
    """Torch computes with `count` threads inside: sums over more or fewer of them differ in the last bits."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def tells(problem: Problem) -> str:
    """How the loss follows the metric, and the accelerator where there is one."""
    try:
        device = device_of("auto")
    except ImportError:
        device = "cpu"
    return "; ".join(part for part in (problem.loss.says, "" if device == "cpu" else f"trains on {device}") if part)


@family("mlp", aliases=("net",), staged=True, rounds="epochs", needs=("torch",), several=True, tells=tells)
def mlp(problem, params, seed, fold, clock, saved=""):  # type: ignore[no-untyped-def]
    """A net over one fold."""
    return MLPStage(problem, params, seed, fold, clock, saved)


mlp.prepare = prepare
