"""Trains models given as JSON with PyTorch and saves them, for linears.test.mjs.

    python linears.py --images images.u8 --labels labels.u8 --jobs jobs.json

A job: {"layers": [["conv", 3, 16], ["relu"], ["flatten"], ["linear", 16384, 10, true]], "batchSize", "init", "out"}.
"""

import argparse
import json

import numpy as np
import torch
import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--images", required=True, help="uint8 [n, 3, 32, 32]")
parser.add_argument("--labels", required=True, help="uint8 [n]")
parser.add_argument("--jobs", required=True)
args = parser.parse_args()

kinds = {
    "conv": lambda inputs, outputs: nn.Conv2d(inputs, outputs, 3, padding=1),
    "relu": nn.ReLU,
    "flatten": nn.Flatten,
    "linear": lambda inputs, outputs, bias: nn.Linear(inputs, outputs, bias=bias),
}
torch.set_num_threads(2)
labels = torch.from_numpy(np.fromfile(args.labels, np.uint8)).long()
images = torch.from_numpy(np.fromfile(args.images, np.uint8)).view(-1, 3, 32, 32).float().div(255)
for job in json.load(open(args.jobs)):
    torch.manual_seed(1)
    model = nn.Sequential(*[kinds[kind](*sizes) for kind, *sizes in job["layers"]])
    torch.save(model.state_dict(), job["init"])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
    for _ in range(2):
        for x, y in zip(images.split(job["batchSize"]), labels.split(job["batchSize"])):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    torch.save(model.state_dict(), job["out"])
