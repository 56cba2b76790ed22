"""Plain models whose programs are hard: ties, draws, buffers that move, regions without gradients or in bfloat16, branches."""

import torch
import torch.utils.checkpoint
from catalogue import classes, floats, indices, model, values
from torch import nn

TEN = classes(10)
ROW = floats(8)


@model(inputs=floats(64), target=values(64), loss="mse")
def tied_autoencoder():
    encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU())
    decoder = nn.Linear(64, 64)
    decoder.weight = encoder[2].weight
    return nn.Sequential(encoder, decoder)


class VariationalAutoencoder(nn.Module):
    """Draws in both modes."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 16))
        self.decoder = nn.Linear(8, 64)

    def forward(self, x):
        mean, logarithm = self.encoder(x).chunk(2, -1)
        return self.decoder(mean + torch.randn_like(mean) * (0.5 * logarithm).exp())


@model(inputs=floats(64), target=values(64), loss="mse", needs_eval="it draws while evaluating, too", draws=True)
def vae():
    return VariationalAutoencoder()


class Positional(nn.Module):
    """A buffer that is not saved, and a tensor that is neither a parameter nor a buffer."""

    def __init__(self):
        super().__init__()
        self.embedding, self.fc = nn.Embedding(50, 16), nn.Linear(16, 10)
        angles = torch.arange(32.0)[:, None] / 10000 ** (torch.arange(16.0) / 16)
        self.register_buffer("table", torch.sin(angles), persistent=False)
        self.scale = torch.tensor(0.5)

    def forward(self, x):
        return self.fc((self.embedding(x) + self.table[: x.shape[1]] * self.scale).mean(1))


@model(inputs=indices(50, 12), target=TEN)
def non_persistent_buffer():
    return Positional()


class NoGrad(nn.Module):
    """A body that no gradient reaches."""

    def __init__(self):
        super().__init__()
        self.body, self.fc = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16)), nn.Linear(16, 10)

    def forward(self, x):
        with torch.no_grad():
            x = self.body(x)
        return self.fc(x)


@model(inputs=ROW, target=TEN)
def no_grad_block():
    return NoGrad()


class Moving(nn.Module):
    """Counts its calls, and puts another tensor in a buffer's place."""

    def __init__(self):
        super().__init__()
        self.body, self.fc = nn.Linear(8, 16), nn.Linear(16, 10)
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("average", torch.zeros(16))

    def forward(self, x):
        x = torch.tanh(self.body(x))
        self.count += 1
        self.average = self.average * 0.9 + 0.1 * x.detach().mean(0)
        return self.fc(x - self.average)


@model(inputs=ROW, target=TEN, needs_eval="it moves its buffers while evaluating, too")
def buffer_reassigned():
    return Moving()


class Autocast(nn.Module):
    """A layer in bfloat16."""

    def __init__(self):
        super().__init__()
        self.body, self.fc = nn.Linear(8, 16), nn.Linear(16, 10)

    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            x = torch.relu(self.body(x))
        return self.fc(x.float())


@model(inputs=ROW, target=TEN)
def autocast_block():
    return Autocast()


class Checkpointed(nn.Module):
    """Computes its body twice, of which the export has one."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Dropout(0.1))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(torch.utils.checkpoint.checkpoint(self.body, x, use_reentrant=False))


@model(inputs=ROW, target=TEN)
def checkpointed():
    return Checkpointed()


class Branch(nn.Module):
    """An `if` of Python's on numbers."""

    def __init__(self):
        super().__init__()
        self.left, self.right, self.fc = nn.Linear(8, 16), nn.Linear(8, 16), nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(self.left(x) if x.sum() > 0 else self.right(x))


class Condition(Branch):
    """The same as torch.cond."""

    def forward(self, x):
        return self.fc(torch.cond(x.sum() > 0, lambda x: self.left(x), lambda x: self.right(x), (x,)))


@model(inputs=ROW, target=TEN)
def data_dependent_if():
    return Branch()


@model(inputs=ROW, target=TEN)
def torch_cond():
    return Condition()


class LayerDrop(nn.Module):
    """Leaves out layers at random while training."""

    def __init__(self):
        super().__init__()
        self.layers, self.fc = nn.ModuleList(nn.Linear(8, 8) for _ in range(3)), nn.Linear(8, 10)

    def forward(self, x):
        for layer in self.layers:
            if not self.training or torch.rand([]) > 0.3:
                x = torch.relu(layer(x))
        return self.fc(x)


@model(inputs=ROW, target=TEN)
def layer_drop():
    return LayerDrop()
