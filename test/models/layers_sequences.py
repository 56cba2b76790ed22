"""Layers for sequences: embeddings, recurrent layers, and pooling over time."""

import torch
from catalogue import Net, NetOfTwo, add, both, floats, indices, values
from torch import nn

IDS = indices(20, 7)
SEQUENCE = floats(7, 6)


def layer(name, build, inputs=SEQUENCE, result=(3,)):
    add(f"layer_{name}", build, "layers", inputs=inputs, target=values(*result), loss="mse")


def mask_of(length, name="mask"):
    """1 for tokens, 0 after them; the second text is of padding alone."""

    def make(random, count):
        lengths = random.randint(1, length + 1, count)
        lengths[1] = 0
        return {name: (torch.arange(length) < torch.tensor(lengths)[:, None]).long().numpy()}

    return make


# Tables of embeddings.


def embedded(name, *shape, **options):
    run = lambda self, ids: self.fc(self.table(ids))
    build = lambda: Net(run, table=nn.Embedding(20, 6, **options), fc=nn.Linear(6, 3))
    layer(name, build, IDS if not shape else indices(20, *shape), (*(shape or (7,)), 3))


embedded("embedding")
embedded("embedding_padding", padding_idx=0)
embedded("embedding_padding_from_end", padding_idx=-17)
embedded("embedding_frequency", scale_grad_by_freq=True)
embedded("embedding_planes", 3, 2)


def bag(name, **options):
    run = lambda self, ids: self.fc(self.table(ids))
    layer(name, lambda: Net(run, table=nn.EmbeddingBag(20, 6, **options), fc=nn.Linear(6, 3)), IDS)


bag("embedding_bag")
bag("embedding_bag_sum", mode="sum", padding_idx=3)
bag("embedding_bag_max", mode="max", padding_idx=-1)
bag("embedding_bag_frequency", scale_grad_by_freq=True)


# Recurrent layers.


def recurrent(name, kind, width=5, **options):
    run = lambda self, x: self.fc(self.rnn(x)[0])
    build = lambda: Net(run, rnn=kind(6, 5, **options), fc=nn.Linear(width, 3))
    layer(name, build, result=(7, 3))


FIRST = {"batch_first": True}
DEEP = {"num_layers": 2, "dropout": 0.3, "bidirectional": True, **FIRST}
recurrent("lstm", nn.LSTM)
recurrent("lstm_batch_first", nn.LSTM, **FIRST)
recurrent("lstm_plain", nn.LSTM, bias=False, **FIRST)
recurrent("lstm_deep", nn.LSTM, width=10, **DEEP)
recurrent("lstm_projected", nn.LSTM, width=6, proj_size=3, **DEEP)
recurrent("lstm_projected_plain", nn.LSTM, width=2, proj_size=2, bias=False, **FIRST)
recurrent("gru", nn.GRU)
recurrent("gru_deep", nn.GRU, width=10, **DEEP)
recurrent("gru_plain", nn.GRU, bias=False, **FIRST)
recurrent("rnn", nn.RNN)
recurrent("rnn_relu", nn.RNN, nonlinearity="relu", **FIRST)
recurrent("rnn_deep", nn.RNN, width=10, **DEEP)


def of_states(self, x):
    _, (hidden, cells) = self.rnn(x)
    return self.fc(hidden[-1] + cells[-1])


parts = lambda: {"rnn": nn.LSTM(6, 5, **DEEP), "fc": nn.Linear(5, 3)}
layer("lstm_states", lambda: nn.Sequential(Net(of_states, **parts())))


# One vector for each sequence.


def real(mask):
    return (mask != 0).unsqueeze(-1)


def masked_mean(x, mask):
    return x.masked_fill(~real(mask), 0).sum(1) / real(mask).sum(1).clamp(min=1)


def masked_max(x, mask):
    return x.masked_fill(~real(mask), -torch.inf).max(1).values.masked_fill(~real(mask).any(1), 0)


def pooled(name, pool):
    run = lambda self, x: self.fc2(pool(self.fc1(x)))
    layer(name, lambda: Net(run, fc1=nn.Linear(6, 6), fc2=nn.Linear(6, 3)))


def pooled_masked(name, pool):
    run = lambda self, x, mask: self.fc2(pool(self.fc1(x), mask))
    build = lambda: NetOfTwo(run, fc1=nn.Linear(6, 6), fc2=nn.Linear(6, 3))
    layer(name, build, both(SEQUENCE, mask_of(7)))


pooled("last_step", lambda x: x[:, -1])
pooled("first_step", lambda x: x[:, 0])
pooled("mean_over_time", lambda x: x.mean(1))
pooled("max_over_time", lambda x: x.max(1).values)
pooled_masked("mean_over_time_mask", masked_mean)
pooled_masked("max_over_time_mask", masked_max)
