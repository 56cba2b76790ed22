"""Plain models of torch.nn over sequences and tables: recurrent ones, attention, embeddings, several inputs."""

import torch
from catalogue import Net, NetOfTwo, both, classes, floats, images, indices, model, values
from torch import nn

TEN = classes(10)
SEQUENCE = floats(9, 6)


@model(inputs=SEQUENCE, target=TEN)
def lstm():
    rnn, fc = nn.LSTM(6, 16, batch_first=True), nn.Linear(16, 10)
    return Net(lambda self, x: self.fc(self.rnn(x)[0][:, -1]), rnn=rnn, fc=fc)


@model(inputs=SEQUENCE, target=TEN)
def lstm_deep():
    rnn = nn.LSTM(6, 16, 2, dropout=0.3, bidirectional=True, batch_first=True, proj_size=8)
    return Net(lambda self, x: self.fc(self.rnn(x)[1][0][-1]), rnn=rnn, fc=nn.Linear(8, 10))


@model(inputs=SEQUENCE, target=TEN)
def gru():
    rnn = nn.GRU(6, 16, 2, dropout=0.2, batch_first=True)
    return Net(lambda self, x: self.fc(self.rnn(x)[0].mean(1)), rnn=rnn, fc=nn.Linear(16, 10))


@model(inputs=SEQUENCE, target=TEN)
def rnn_tanh():
    rnn, fc = nn.RNN(6, 16, batch_first=True), nn.Linear(16, 10)
    return Net(lambda self, x: self.fc(self.rnn(x)[0][:, -1]), rnn=rnn, fc=fc)


@model(inputs=SEQUENCE, target=TEN, axes=(("x", 1),))
def lstm_time_first():
    return Net(lambda self, x: self.fc(self.rnn(x)[0][-1]), rnn=nn.LSTM(6, 16), fc=nn.Linear(16, 10))


class CellLoop(nn.Module):
    """A loop over time, which the export unrolls."""

    def __init__(self):
        super().__init__()
        self.cell, self.fc = nn.LSTMCell(6, 16), nn.Linear(16, 10)

    def forward(self, x):
        hidden, memory = x.new_zeros(x.shape[0], 16), x.new_zeros(x.shape[0], 16)
        for time in range(x.shape[1]):
            hidden, memory = self.cell(x[:, time], (hidden, memory))
        return self.fc(hidden)


@model(inputs=floats(5, 6), target=TEN)
def lstm_cell_loop():
    return CellLoop()


def lengths(random, count):
    return {"lengths": random.randint(1, 10, count).astype("int64")}


@model(inputs=both(SEQUENCE, lengths), target=TEN)
def lstm_packed():
    def run(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.fc(self.rnn(packed)[1][0][-1])

    return NetOfTwo(run, rnn=nn.LSTM(6, 16, batch_first=True), fc=nn.Linear(16, 10))


@model(inputs=indices(50, 10), target=TEN)
def transformer_encoder():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)
    run = lambda self, x: self.fc(self.encoder(self.embedding(x)).mean(1))
    return Net(run, embedding=nn.Embedding(50, 32), encoder=encoder, fc=nn.Linear(32, 10))


@model(inputs=indices(50, 10), target=TEN)
def transformer_mask():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True, activation="gelu")
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def run(self, x):
        return self.fc(self.encoder(self.embedding(x), src_key_padding_mask=x == 0).mean(1))

    return Net(run, embedding=nn.Embedding(50, 32, padding_idx=0), encoder=encoder, fc=nn.Linear(32, 10))


@model(
    inputs=both(indices(50, 10, name="source"), indices(50, 7, name="target_text")),
    target=classes(50, 7),
    loss="tokens",
)
def transformer_seq2seq():
    def run(self, source, target):
        mask = nn.Transformer.generate_square_subsequent_mask(7)
        tokens = self.embedding(source), self.embedding(target)
        return self.fc(self.transformer(*tokens, tgt_mask=mask, tgt_is_causal=True))

    transformer = nn.Transformer(32, 4, 1, 1, 64, batch_first=True)
    return NetOfTwo(run, embedding=nn.Embedding(50, 32), transformer=transformer, fc=nn.Linear(32, 50))


@model(inputs=floats(10, 16), target=TEN)
def multihead_attention():
    attention = nn.MultiheadAttention(16, 4, dropout=0.1, batch_first=True)
    return Net(lambda self, x: self.fc(self.attention(x, x, x)[0].mean(1)), attention=attention, fc=nn.Linear(16, 10))


@model(inputs=indices(100, 12), target=TEN)
def embedding_mean():
    run = lambda self, x: self.fc(self.embedding(x).mean(1))
    return Net(run, embedding=nn.Embedding(100, 16), fc=nn.Linear(16, 10))


@model(inputs=indices(100, 12), target=TEN)
def embedding_bag():
    run = lambda self, x: self.fc(self.embedding(x))
    return Net(run, embedding=nn.EmbeddingBag(100, 16, mode="sum"), fc=nn.Linear(16, 10))


@model(inputs=both(indices(20, name="user"), indices(30, name="item")), target=values(), loss="mse")
def two_inputs():
    def run(self, user, item):
        return (self.users(user) * self.items(item)).sum(-1) + self.bias.weight[item, 0]

    return NetOfTwo(run, users=nn.Embedding(20, 8), items=nn.Embedding(30, 8), bias=nn.Embedding(30, 1))


@model(inputs=both(indices(5, 3, name="categories"), floats(6, name="numbers")), target=classes(2))
def tabular():
    def run(self, categories, numbers):
        columns = [embedding(categories[:, i]) for i, embedding in enumerate(self.embeddings)]
        return self.fc(torch.cat([*columns, self.norm(numbers)], 1))

    embeddings = nn.ModuleList(nn.Embedding(5, 4) for _ in range(3))
    fc = nn.Sequential(nn.Linear(18, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    return NetOfTwo(run, embeddings=embeddings, norm=nn.BatchNorm1d(6), fc=fc)


@model(inputs=both(images(1, 16, "left"), images(1, 16, "right")), target=classes(2))
def siamese():
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten())
    run = lambda self, left, right: self.fc(torch.abs(self.body(left) - self.body(right)))
    return NetOfTwo(run, body=body, fc=nn.Linear(4 * 196, 2))
