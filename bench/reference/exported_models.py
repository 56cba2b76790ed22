"""Models that people export, and their training in eager PyTorch. `--export NAME FILE` writes a .pt2; `--train NAME STEPS` answers
each line of standard input with the seconds that a step takes and the most memory that the process has held, as JSON."""

import json
import sys
import time
import types

import torch
import torch.nn.functional as F
from torch import nn
from torch.export import Dim

sys.modules.setdefault('torchvision._meta_registrations', types.ModuleType('torchvision._meta_registrations'))


class Layer(nn.Module):
    """A layer of BERT."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.output, self.norm1 = nn.Linear(width, width), nn.LayerNorm(width, eps=1e-12)
        self.inner, self.outer = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm2, self.dropout = nn.LayerNorm(width, eps=1e-12), nn.Dropout(0.1)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)

    def forward(self, x, bias):
        query, key, value = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        p = 0.1 if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=p)
        x = self.norm1(x + self.dropout(self.output(attended.transpose(1, 2).flatten(2))))
        return self.norm2(x + self.dropout(self.outer(F.gelu(self.inner(x)))))


class Bert(nn.Module):
    """BERT-tiny with a classifier: two layers of width 128."""

    def __init__(self, vocabulary=30522, width=128, heads=2, layers=2, length=512, classes=3):
        super().__init__()
        self.words, self.places = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.register_buffer('position_ids', torch.arange(length), persistent=False)
        self.norm, self.dropout = nn.LayerNorm(width, eps=1e-12), nn.Dropout(0.1)
        self.layers = nn.ModuleList(Layer(width, heads) for _ in range(layers))
        self.pooler, self.classifier = nn.Linear(width, width), nn.Linear(width, classes)

    def forward(self, input_ids, attention_mask):
        x = self.words(input_ids) + self.places(self.position_ids[: input_ids.shape[1]])
        x = self.dropout(self.norm(x))
        bias = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        for layer in self.layers:
            x = layer(x, bias)
        return self.classifier(self.dropout(torch.tanh(self.pooler(x[:, 0]))))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.classifier = nn.Embedding(10_000, 128), nn.Linear(256, 5)
        self.rnn = nn.LSTM(128, 256, num_layers=2, dropout=0.2, batch_first=True)

    def forward(self, input_ids):
        return self.classifier(self.rnn(self.words(input_ids))[0][:, -1])


def vision(name, **options):
    import torchvision

    if name == 'vit':
        return torchvision.models.VisionTransformer(224, 16, 12, 3, 192, 768, num_classes=10, dropout=0.1)
    return torchvision.models.get_model(name, num_classes=10, **options)


def token_inputs(vocabulary, length, masked):
    def make(batch):
        ids = torch.randint(0, vocabulary, (batch, length))
        return (ids, torch.ones_like(ids)) if masked else (ids,)

    return make


# What makes the model, a batch of its inputs, the samples of a batch, and its classes.
MODELS = {
    'bert': (Bert, token_inputs(30522, 128, True), 32, 3),
    'vit': (lambda: vision('vit'), lambda batch: (torch.randn(batch, 3, 224, 224),), 8, 10),
    'lstm': (Lstm, token_inputs(10_000, 64, False), 32, 5),
    'mobilenet': (lambda: vision('mobilenet_v3_small'), lambda batch: (torch.randn(batch, 3, 224, 224),), 16, 10),
}


def made(name):
    torch.manual_seed(0)
    build, *rest = MODELS[name]
    return (build().train(), *rest)


def export(name, file):
    model, inputs, batch, _ = made(name)
    example = inputs(batch)
    axis = Dim('batch', min=2)
    shapes = tuple({0: axis} for _ in example)
    torch.export.save(torch.export.export(model, example, dynamic_shapes=shapes), file)


def peak():
    with open('/proc/self/status') as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith('VmHWM'))


def train(name, steps):
    model, inputs, batch, classes = made(name)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    torch.manual_seed(1)
    data = [(inputs(batch), torch.randint(0, classes, (batch,))) for _ in range(4)]
    for _ in sys.stdin:
        started = time.perf_counter()
        for x, target in data * (steps // 4):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(*x), target)
            loss.backward()
            optimizer.step()
            loss.item()
        print(json.dumps({'seconds': (time.perf_counter() - started) / steps, 'peak': peak()}), flush=True)


if __name__ == '__main__':
    command, name, argument = sys.argv[1:4]
    export(name, argument) if command == '--export' else train(name, int(argument))
