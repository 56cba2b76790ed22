"""Trains, evaluates and predicts with models of several inputs and with targets of every kind, for inputs.test.mjs.

    python inputs.py < jobs.json

A job: {"model", "inputs": {name: {"data", "dtype", "shape"}}, "targets": {"data", "dtype", "shape"}, "transforms": {name: [...]},
"scoring": {name: [...]}, "batchSize", "epochs", "seed", "init", "out"}. Writes the weights that training begins with and those
that it ends with, and prints for each job {"losses", "loss", "correct", "counted", "logits"}.
"""

import json
import sys
import types

# torchvision's compiled operators may not load beside this torch; its transforms are pure Python.
sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

MAKERS = {
    "randomHorizontalFlip": lambda t: T.RandomHorizontalFlip(t["p"]),
    "randomVerticalFlip": lambda t: T.RandomVerticalFlip(t["p"]),
    "randomRotation": lambda t: T.RandomRotation(t["degrees"]),
    "toTensor": lambda t: T.ToTensor(),
    "normalize": lambda t: T.Normalize(t["mean"], t["std"]),
}


class Text(nn.Module):
    """Indices of words and a row of numbers."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 6)
        self.fc = nn.Linear(9, 4)

    def forward(self, inputs):
        pooled = self.embedding(inputs["ids"].long()).mean(1)
        return self.fc(torch.cat([pooled, inputs["dense"].float()], 1))


class Tokens(nn.Module):
    """A class for each word."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 6)
        self.fc = nn.Linear(6, 5)

    def forward(self, inputs):
        return self.fc(self.embedding(inputs["ids"].long())).transpose(1, 2)


class Table(nn.Module):
    """Numbers alone."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(7, 4)

    def forward(self, inputs):
        return self.fc(inputs["input"].float())


class Photo(nn.Module):
    """Two images and a row of numbers."""

    def __init__(self):
        super().__init__()
        self.image_conv = nn.Conv2d(3, 4, 3)
        self.mask_conv = nn.Conv2d(1, 4, 3)
        self.fc = nn.Linear(146, 3)

    def forward(self, inputs):
        both = self.image_conv(inputs["image"]) + self.mask_conv(inputs["mask"])
        return self.fc(torch.cat([torch.flatten(torch.relu(both), 1), inputs["meta"]], 1))


class Samples(Dataset):
    def __init__(self, inputs, targets, transforms):
        self.inputs, self.targets, self.transforms = inputs, targets, transforms

    def __len__(self):
        return len(self.targets)

    def __getitem__(self, index):
        sample = {}
        for name, values in self.inputs.items():
            value = values[index]
            if name in self.transforms:
                pixels = value.numpy().transpose(1, 2, 0)
                value = self.transforms[name](Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels))
            sample[name] = value
        return sample, self.targets[index]


def tensor(given):
    return torch.from_numpy(np.array(given["data"], given["dtype"]).reshape(-1, *given["shape"]))


def samples(job, transforms):
    inputs = {name: tensor(given) for name, given in job["inputs"].items()}
    composed = {name: T.Compose([MAKERS[t["kind"]](t) for t in steps]) for name, steps in transforms.items()}
    return Samples(inputs, tensor(job["targets"]), composed)


def train(model, job):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loader = DataLoader(samples(job, job["transforms"]), batch_size=job["batchSize"], shuffle=True)
    losses = []
    torch.manual_seed(job["seed"])
    for _ in range(job["epochs"]):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return losses


@torch.no_grad()
def score(model, job):
    loader = DataLoader(samples(job, job["scoring"]), batch_size=job["batchSize"])
    loss = correct = counted = weight = 0
    logits = []
    for inputs, targets in loader:
        output = model(inputs)
        logits.append(output)
        indices = not targets.is_floating_point()
        count = int((targets != -100).sum()) if indices else len(targets)
        loss += F.cross_entropy(output, targets).item() * count
        weight += count
        if indices:
            correct += int((output.argmax(1) == targets).sum())
            counted += count
    return {"loss": loss / weight, "correct": correct, "counted": counted, "logits": torch.cat(logits)}


def run(job):
    torch.manual_seed(3)
    model = {"Text": Text, "Tokens": Tokens, "Table": Table, "Photo": Photo}[job["model"]]()
    torch.save(model.state_dict(), job["init"])
    losses = train(model, job)
    torch.save(model.state_dict(), job["out"])
    scores = score(model, job)
    return {"losses": losses, **scores, "logits": scores["logits"].flatten().tolist(), "shape": scores["logits"].shape}


torch.set_num_threads(1)
print(json.dumps([run(job) for job in json.load(sys.stdin)]))
