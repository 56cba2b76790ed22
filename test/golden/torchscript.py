"""Writes TorchScript archives, and beside each the state dict that torch.jit.load gives, for torchscript.test.mjs.

    python torchscript.py make FOLDER
    python torchscript.py check FOLDER    prints {name: whether NAME.saved.pth holds that state dict: order, bits, shared storages}
"""

import json
import pathlib
import sys
import warnings

import torch
from torch import nn

warnings.simplefilter('ignore')
FOLDER = pathlib.Path(sys.argv[2])


class Parts(nn.Module):
    """A module with attributes besides its weights: plain tensors, lists, dicts, and a weight that is None."""

    def __init__(self):
        super().__init__()
        self.plain = torch.ones(2)
        self.fixed = nn.Parameter(torch.randn(2, 2, dtype=torch.float64), requires_grad=False)
        self.register_buffer('unsaved', torch.arange(3), persistent=False)
        self.register_parameter('missing', None)
        self.register_buffer('counter', torch.tensor(7))
        self.sizes, self.names, self.flags = [1, 2, 3], {'a': 1.5}, [True, False]
        self.tensors, self.numbers = [torch.ones(1)], [0.5]
        self.weight = nn.Parameter(torch.randn(2, 2).t())

    def forward(self, x):
        return x @ self.weight + self.plain + self.unsaved[:2] + self.sizes[0] + self.fixed.sum().float()


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.Linear(2, 2), nn.Tanh(), Parts()), Parts()])
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)
        self.second.weight = self.first.weight
        self.shared = self.first

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.shared(self.second(self.first(x)))


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
        self.head = nn.LSTM(36, 8, num_layers=2, batch_first=True)

    def forward(self, x):
        return self.head(self.body(x)[:, None])[0]


class Scripted(nn.Module):
    @torch.jit.export
    def __getstate__(self):
        return 3, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[int, bool]):
        self.training = state[1]

    def forward(self, x):
        return x


class Wrapper(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.fc = inner, nn.Linear(2, 2)

    def forward(self, x):
        return self.inner(self.fc(x))


def quantised(*layers):
    from torch.ao.quantization import quantize_dynamic

    return torch.jit.script(quantize_dynamic(nn.Sequential(nn.Linear(2, 2), *layers), {nn.Linear}))


def frozen():
    return torch.jit.freeze(torch.jit.script(Convolutions().eval()))


def models():
    torch.manual_seed(0)
    image = torch.randn(2, 1, 5, 5)
    yield 'scripted', torch.jit.script(Tied())
    yield 'traced', torch.jit.trace(Tied(), torch.randn(3, 2), check_trace=False)
    yield 'convolutions', torch.jit.script(Convolutions())
    yield 'traced convolutions', torch.jit.trace(Convolutions().eval(), image)
    yield 'half', torch.jit.script(Convolutions().to(torch.bfloat16))
    yield 'empty', torch.jit.script(nn.ReLU())
    yield 'frozen', frozen()
    yield 'own state', torch.jit.script(Wrapper(Scripted()))
    yield 'quantised', quantised()
    yield 'quantised in part', quantised(nn.BatchNorm1d(2))


def storages(state):
    seen = {}
    return [seen.setdefault(tensor.untyped_storage()._cdata, name) for name, tensor in state.items()]


def same(ours, expected):
    return (
        list(ours) == list(expected)
        and storages(ours) == storages(expected)
        and all(
            a.dtype == b.dtype and a.stride() == b.stride() and torch.equal(a, b)
            for a, b in zip(ours.values(), expected.values(), strict=True)
        )
    )


def make():
    for name, model in models():
        torch.jit.save(model, FOLDER / f'{name}.pt')
        model._save_for_lite_interpreter(str(FOLDER / f'{name}.ptl'))


def check():
    verdicts = {}
    for file in sorted(FOLDER.glob('*.saved.pth')):
        name = file.name.removesuffix('.saved.pth')
        expected = torch.jit.load(FOLDER / f'{name}.pt').state_dict()
        verdicts[name] = same(torch.load(file), expected)
    print(json.dumps(verdicts))


{'make': make, 'check': check}[sys.argv[1]]()
