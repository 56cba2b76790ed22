"""Loads the file of examples/04-fine-tune.mjs strictly, and prints its logits of some inputs.

    python fine_tuned.py fine_tuned.pth < inputs.json
"""

import json
import sys

import torch
import torch.nn as nn

torch.set_num_threads(1)
net = nn.Sequential()
layers = {
    "conv": nn.Conv2d(3, 8, 3, padding=1),
    "norm": nn.BatchNorm2d(8),
    "relu": nn.ReLU(),
    "pool": nn.MaxPool2d(4),
    "flatten": nn.Flatten(),
    "fc": nn.Linear(128, 3),
}
for name, layer in layers.items():
    net.add_module(name, layer)
net.load_state_dict(torch.load(sys.argv[1], weights_only=True), strict=True)
net.eval()
with torch.no_grad():
    print(json.dumps(net(torch.tensor(json.load(sys.stdin)).view(-1, 3, 16, 16)).flatten().tolist()))
