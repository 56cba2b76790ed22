"""Layers, each in a small model that has weights: activations, linear ones, convolutions, norms, dropout, and what changes shapes."""

from catalogue import add, floats, values
from torch import nn


def layer(name: str, build, shape=(6,), result=(6,), before=None) -> None:
    """Adds Sequential(linear layer or `before`, the layer), which returns numbers of the shape `result`."""

    def made():
        first = before() if before else nn.Linear(shape[-1], shape[-1])
        return nn.Sequential(first, build())

    add(f"layer_{name}", made, "layers", inputs=floats(*shape), target=values(*result), loss="mse")


layer("relu", nn.ReLU)
