"""Loads states that name their classes, for class-names.test.mjs.

    python class_names.py FOLDER

Loads names.pth and run.ckpt strictly, and saves the first again, as again/names.pth. Saves python.ckpt, whose names are an entry beside the
state dict. Prints {"state", "checkpoint"}: the names in both.
"""

import json
import sys

import torch
import torch.nn as nn

folder = sys.argv[1]
net = nn.Sequential()
for name, layer in {"body": nn.Linear(4, 6), "relu": nn.ReLU(), "fc": nn.Linear(6, 5)}.items():
    net.add_module(name, layer)

state = torch.load(f"{folder}/names.pth", weights_only=True)
assert "class_names" not in state
net.load_state_dict(state, strict=True)
torch.save(state, f"{folder}/again/names.pth")
checkpoint = torch.load(f"{folder}/run.ckpt", weights_only=True)
net.load_state_dict(checkpoint["model"], strict=True)
torch.save({"model": net.state_dict(), "class_names": state.class_names}, f"{folder}/python.ckpt")
print(json.dumps({"state": state.class_names, "checkpoint": checkpoint["model"].class_names}))
