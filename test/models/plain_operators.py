"""Plain models of less usual operators: indices, sizes known only when they run, complex numbers, several outputs, other types."""

import torch
import torch.nn.functional as F
from catalogue import Net, classes, floats, model
from torch import nn

TEN = classes(10)
ROW = floats(8)


class Graph(nn.Module):
    """Sums over the edges of a graph, which are an int64 buffer."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(6, 16), nn.Linear(16, 10)
        self.register_buffer("edges", torch.tensor([[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 0, 2]]))

    def forward(self, x):
        for layer in (self.first, self.second):
            nodes = layer(x)
            sums = torch.zeros_like(nodes).index_add(1, self.edges[1], nodes[:, self.edges[0]])
            x = torch.relu(sums + nodes)
        return x.mean(1)


@model(inputs=floats(5, 6), target=TEN)
def graph_conv():
    return Graph()


class Experts(nn.Module):
    """A mixture of experts, each of which sees a number of rows that is known only when it runs."""

    def __init__(self):
        super().__init__()
        self.gate, self.fc = nn.Linear(8, 4), nn.Linear(8, 10)
        self.experts = nn.ModuleList(nn.Linear(8, 8) for _ in range(4))

    def forward(self, x):
        weights, chosen = torch.topk(F.softmax(self.gate(x), -1), 2)
        mixed = torch.zeros_like(x)
        for index, expert in enumerate(self.experts):
            rows, slots = torch.where(chosen == index)
            mixed.index_add_(0, rows, expert(x[rows]) * weights[rows, slots, None])
        return self.fc(mixed)


@model(inputs=ROW, target=TEN)
def experts_sparse():
    return Experts()


@model(inputs=floats(8, 16), target=TEN)
def einsum_fft():
    run = lambda self, x: self.fc(torch.einsum("btd,de->be", torch.fft.rfft(x, dim=1).abs(), self.weight))
    return Net(run, weight=nn.Parameter(torch.randn(16, 16) * 0.1), fc=nn.Linear(16, 10))


class Spectrogram(nn.Module):
    """A Fourier transform of windows, whose window is a buffer."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(33, 10)
        self.register_buffer("window", torch.hann_window(64))

    def forward(self, x):
        spectrum = torch.stft(x, 64, 32, window=self.window, return_complex=True)
        return self.fc(torch.log1p(spectrum.abs()).mean(-1))


@model(inputs=floats(800), target=TEN)
def spectrogram():
    return Spectrogram()


class ShapeBranch(nn.Module):
    """An `if` on the size of the batch: the export has one side, and the sizes for which it is right."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 10)

    def forward(self, x):
        if x.shape[0] > 2:
            x = x - x.mean(0, keepdim=True)
        return self.fc(x).view(x.shape[0] * 2, 5).reshape(-1, 10)


@model(inputs=ROW, target=TEN)
def shape_branch():
    return ShapeBranch()


class SeveralOutputs(nn.Module):
    """A dict, with a list, a number and nothing in it."""

    def __init__(self):
        super().__init__()
        self.body, self.fc = nn.Linear(8, 16), nn.Linear(16, 10)

    def forward(self, x):
        hidden = torch.tanh(self.body(x))
        return {"logits": self.fc(hidden), "hidden": hidden, "rest": [hidden.mean(), None, 3]}


@model(inputs=ROW, target=TEN, output="logits")
def dict_output():
    return SeveralOutputs()


@model(inputs=ROW, target=TEN, double=True)
def float64():
    return nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 10)).double()


@model(inputs=ROW, target=TEN)
def bfloat16():
    body = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 10)).bfloat16()
    return Net(lambda self, x: self.body(x.to(torch.bfloat16)).float(), body=body)


class LowRank(nn.Module):
    """A frozen layer, and a small change of it that is trained (Hu et al. 2021)."""

    def __init__(self):
        super().__init__()
        self.base = nn.Linear(16, 16).requires_grad_(False)
        self.down, self.up = nn.Parameter(torch.randn(4, 16) * 0.1), nn.Parameter(torch.zeros(16, 4))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(torch.relu(self.base(x) + x @ self.down.T @ self.up.T * 2))


@model(inputs=floats(16), target=TEN)
def lora():
    return LowRank()
