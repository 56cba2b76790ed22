"""The list of models that are exported, trained in both languages and compared, and how their samples are drawn.

A model is a function that builds a module, under @model(...), which says what it is fed. Its weights and samples are random, from
one seed: nothing is fetched. The other files of this folder fill the list, each with a group or a part of one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import nn

SEED = 7
SAMPLES = 11

Arrays = dict[str, np.ndarray]
InputMaker = Callable[[np.random.RandomState, int], Arrays]
TargetMaker = Callable[[np.random.RandomState, int], np.ndarray]


@dataclass(frozen=True)
class Model:
    """A module, its samples, and what makes a loss of its outputs."""

    name: str
    group: str
    build: Callable[[], nn.Module]
    inputs: InputMaker  # arrays of [samples, ...] by name, in the order of forward's arguments
    target: TargetMaker  # [samples, ...]
    loss: str = "cross_entropy"  # of the output and the target: a name of training.LOSSES
    output: str | int | None = None  # the one that is trained, by index or name; None: there is one
    keywords: bool = False  # forward() is called with keyword arguments
    batch: int = 4  # samples of a batch; 11 make a short one at the end
    axes: tuple[tuple[str, int], ...] = ()  # inputs whose batch axis is not the first
    double: bool = False  # forward() takes the float32 samples as float64
    # Why the program of training does not show how the model evaluates, so that a second one is exported. None: it does.
    needs_eval: str | None = None
    draws: bool = False  # while evaluating, too: its outputs are not compared

    def axis_of(self, name: str) -> int:
        return dict(self.axes).get(name, 0)

    def samples(self) -> tuple[Arrays, np.ndarray]:
        random = np.random.RandomState(SEED)
        return self.inputs(random, SAMPLES), self.target(random, SAMPLES)


MODELS: dict[str, Model] = {}


def add(name: str, build: Callable[[], nn.Module], group: str, **facts) -> None:
    if name in MODELS:
        raise ValueError(f"there are two models named {name}")
    MODELS[name] = Model(name=name, group=group, build=build, **facts)


def model(group: str = "plain", **facts):
    """Adds the function below it under its own name."""

    def added(build):
        add(build.__name__, build, group, **facts)
        return build

    return added


def images(channels: int, side: int, name: str = "x") -> InputMaker:
    """Numbers from 0 to 1, [samples, channels, side, side]."""
    return lambda random, count: {name: random.rand(count, channels, side, side).astype(np.float32)}


def floats(*shape: int, name: str = "x") -> InputMaker:
    """Normal numbers."""
    return lambda random, count: {name: random.randn(count, *shape).astype(np.float32)}


def indices(below: int, *shape: int, name: str = "x") -> InputMaker:
    return lambda random, count: {name: random.randint(0, below, (count, *shape)).astype(np.int64)}


def texts(length: int, vocabulary: int) -> InputMaker:
    """Tokens with a mask that is 0 past the end of each text."""

    def make(random, count):
        mask = np.ones((count, length), np.int64)
        for row in mask:
            row[length - random.randint(0, length // 2) :] = 0
        tokens = random.randint(2, vocabulary, (count, length)).astype(np.int64)
        return {"input_ids": tokens, "attention_mask": mask}

    return make


def both(*makers: InputMaker) -> InputMaker:
    return lambda random, count: {name: array for make in makers for name, array in make(random, count).items()}


def classes(count_of_classes: int, *shape: int) -> TargetMaker:
    """A class for each sample, or for each position of one."""
    return lambda random, count: random.randint(0, count_of_classes, (count, *shape)).astype(np.int64)


def values(*shape: int) -> TargetMaker:
    return lambda random, count: random.randn(count, *shape).astype(np.float32)


class Net(nn.Module):
    """Modules and tensors by name, and a forward that is a function of the module and its input."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


class NetOfTwo(Net):
    """A Net of two inputs."""

    def forward(self, a, b):
        return self.run(self, a, b)
