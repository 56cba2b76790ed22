"""What OnlineLearner does with samples that cannot be learned, in plain PyTorch: an offender is a sample whose own output, loss or
gradient is not finite; the others of its batch are learned as if it had not come. Prints a line of JSON for each
batch: the loss, or why there was no update, and the offenders.

    python online_offenders.py --samples samples.f32 --labels labels.u8 --sizes 8,8,1 --init init.pth --out out.pth --seed 3
"""

import argparse
import copy
import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--samples", required=True, help="float32 [n, 1, 2, 2]")
parser.add_argument("--labels", required=True, help="uint8 [n]")
parser.add_argument("--sizes", required=True, help="samples of each batch")
parser.add_argument("--init", required=True, help="state dict to begin with")
parser.add_argument("--out", required=True)
parser.add_argument("--seed", type=int, required=True)
args = parser.parse_args()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 2)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.25)
        self.out = nn.Linear(4, 3)

    def forward(self, x):
        return self.out(self.drop(torch.relu(self.norm(self.conv(x))).flatten(1)))


model = Model()
model.load_state_dict(torch.load(args.init))
served = copy.deepcopy(model).eval()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def gradient_norm():
    norms = [torch.linalg.vector_norm(p.grad) for p in model.parameters() if p.grad is not None]
    return torch.linalg.vector_norm(torch.stack(norms))


def finite_buffers():
    return all(torch.isfinite(buffer).all() for buffer in model.buffers())


def without_finite_gradient(x, y):
    bad = []
    for i in range(len(x)):
        optimizer.zero_grad()
        F.cross_entropy(model(x[i : i + 1]), y[i : i + 1]).backward()
        bad.append(not torch.isfinite(gradient_norm()))
    return torch.tensor(bad)


def overwhelming(x, y):
    """In training mode, beside zeros: what batch norm makes nothing finite of."""
    bad = []
    random, before = torch.get_rng_state(), [buffer.clone() for buffer in model.buffers()]
    for i in range(len(x)):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(torch.stack([x[i], torch.zeros_like(x[i])])), y[i].repeat(2))
        if torch.isfinite(loss):
            loss.backward()
        bad.append(not (torch.isfinite(loss) and torch.isfinite(gradient_norm()) and finite_buffers()))
        restore(before)
    torch.set_rng_state(random)
    return torch.tensor(bad)


def restore(buffers):
    with torch.no_grad():
        for buffer, old in zip(model.buffers(), buffers):
            buffer.copy_(old)


def offenders(x, y):
    """Each judged by itself, by the weights that learn: by the first question that finds any."""
    model.eval()
    with torch.no_grad():
        logits = model(x)
        losses = F.cross_entropy(logits, y, reduction="none")
    bad = ~(torch.isfinite(logits).all(1) & torch.isfinite(losses))
    if not bad.any():
        bad = without_finite_gradient(x, y)
    if not bad.any():
        model.train()
        bad = overwhelming(x, y)
        model.eval()
    if not bad.any():
        bad = without_finite_gradient(x, logits.argmin(1))
    optimizer.zero_grad()
    model.train()
    return bad


def learn(x, y):
    places = torch.arange(len(x))
    out = []
    while len(places):
        with torch.no_grad():
            bad = ~torch.isfinite(served(x[places])).all(1)
        if not bad.any():
            random, before = torch.get_rng_state(), [buffer.clone() for buffer in model.buffers()]
            optimizer.zero_grad()
            try:
                loss = F.cross_entropy(model(x[places]), y[places])
            except ValueError as error:
                assert "more than 1 value per channel" in str(error)
                restore(before)
                return {"refused": "batch", "offenders": sorted(out)}
            if torch.isfinite(loss):
                loss.backward()
            if torch.isfinite(loss) and torch.isfinite(gradient_norm()) and finite_buffers():
                optimizer.step()
                return {"loss": loss.item(), "offenders": sorted(out)}
            restore(before)
            bad = offenders(x[places], y[places])
            if not bad.any():
                return {"refused": "update", "offenders": sorted(out)}
            torch.set_rng_state(random)
        out += places[bad].tolist()
        places = places[~bad]
    return {"refused": "all", "offenders": sorted(out)}


samples = torch.from_numpy(np.fromfile(args.samples, np.float32)).reshape(-1, 1, 2, 2)
labels = torch.from_numpy(np.fromfile(args.labels, np.uint8)).long()
torch.set_num_threads(1)
torch.manual_seed(args.seed)
first = 0
for size in map(int, args.sizes.split(",")):
    print(json.dumps(learn(samples[first : first + size], labels[first : first + size])))
    first += size
torch.save(model.state_dict(), args.out)
