"""The layers of docs/layers.md, as modules of Python, and those of two inputs."""

import torch
from catalogue import add, both, floats, values
from torch import nn


class ScaledTanh(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(features))

    def forward(self, x):
        return torch.tanh(x) * self.scale


class Gated(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.gate, self.side = nn.Linear(features, features), nn.Linear(features, features, bias=False)
        self.project = nn.Linear(features, features)
        nn.init.constant_(self.gate.bias, 2)

    def forward(self, x):
        mixed = torch.addcmul(self.side(x), x, torch.sigmoid(self.gate(x)))
        return self.project(self.project(mixed))


class Joined(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(8, 4), nn.Linear(7, 2)

    def forward(self, features, extras):
        return self.fc2(torch.cat([self.fc1(features), extras], 1))


class Product(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.join = nn.Bilinear(8, 3, 2, bias)

    def forward(self, features, extras):
        return self.join(features, extras)


def named(**layers):
    model = nn.Sequential()
    for name, layer in layers.items():
        model.add_module(name, layer)
    return model


def own(name, build, inputs=floats(8)):
    add(f"layer_{name}", build, "layers", inputs=inputs, target=values(2), loss="mse")


own("scaled_tanh", lambda: named(fc1=nn.Linear(8, 16), act=ScaledTanh(16), fc2=nn.Linear(16, 2)))
own("gated", lambda: named(gated=Gated(8), fc=nn.Linear(8, 2)))
own("joined", Joined, both(floats(8, name="features"), floats(3, name="extras")))
for bias in (True, False):
    inputs = both(floats(8, name="features"), floats(3, name="extras"))
    own("bilinear" if bias else "bilinear_plain", lambda bias=bias: Product(bias), inputs)
