"""Extends classifiers by PyTorch's own layers, and trains on, for extend-classes.test.mjs.

    python extend_classes.py < job.json

A job: {"inputs": [...], "labels": [...] of more classes, "cases": [...], "orders": [...]}. A case: {"model", "optimizer", "options", "seed",
"classes", "ours": a checkpoint of a run with few classes, "grown": what torch-incremental made of it, "out": where to write the weights
after "steps" more steps}. An order: {"model", "classes", "grown": a checkpoint after several additions}. Prints {"cases": [{"logits",
"losses", "same"}], "orders": [whether it was loaded and trained]}.
"""

import json
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from optimizer_steps import options_of

BATCH = 8


def make(name, classes):
    net = nn.Sequential()
    if name == "cnn":
        layers = {
            "conv": nn.Conv2d(3, 4, 3, padding=1),
            "bn": nn.BatchNorm2d(4),
            "relu": nn.ReLU(),
            "pool": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(64, classes),
        }
    else:
        layers = {
            "flatten": nn.Flatten(),
            "fc1": nn.Linear(192, 16),
            "relu": nn.ReLU(),
            "fc": nn.Linear(16, classes, bias=False),
        }
    for key, layer in layers.items():
        net.add_module(key, layer)
    return net


def grouped(case, net):
    """The parameters as the optimizer gets them: with groups, conv is frozen, and fc has a rate of its own."""
    if not case.get("groups"):
        return [{"params": list(net.parameters())}]
    for parameter in net.conv.parameters():
        parameter.requires_grad_(False)
    return [{"params": list(net.bn.parameters())}, {"params": list(net.fc.parameters()), "lr": 0.05}]


def begin(case, net):
    options = {"lr": 0.1, **options_of(case.get("options", {}))}
    return getattr(torch.optim, case.get("optimizer", "SGD"))(grouped(case, net), **options)


def extended(fc, classes, seed):
    """The recipe of docs/api.md."""
    torch.manual_seed(seed)
    grown = nn.Linear(fc.in_features, classes, bias=fc.bias is not None, dtype=fc.weight.dtype)
    grown.load_state_dict({k: torch.cat([v, grown.state_dict()[k][len(v) :]]) for k, v in fc.state_dict().items()})
    return grown


def run(net, optimizer, job, steps):
    inputs = torch.tensor(np.array(job["inputs"], "f4")).view(-1, 3, 8, 8)
    labels = torch.tensor(job["labels"])
    per_epoch = len(labels) // BATCH
    net.train()
    losses = []
    for step in range(steps):
        batch = slice(step % per_epoch * BATCH, (step % per_epoch + 1) * BATCH)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def bits(tensor):
    return tensor.numpy().tobytes()


def shape_of(name, parameter):
    shape = list(parameter.shape)
    axis = {"row_var": -1, "col_var": -2}.get(name)
    if axis is not None:
        shape[axis] = 1
    return shape


def slots_grown(before, after, groups):
    """Old rows of every slot have their bits, new ones are zero, and steps and averages over rows are kept."""
    for number, parameter in enumerate(parameter for group in groups for parameter in group["params"]):
        old, new = before["state"][number], after["state"][number]
        if list(old) != list(new):
            return False
        for name, slot in old.items():
            rows = len(slot) if slot.dim() > 0 else None
            if rows is None:
                if bits(slot) != bits(new[name]):
                    return False
            elif name == "col_var" and parameter.dim() == 2:
                if list(new[name].shape) != shape_of(name, parameter) or bits(slot) != bits(new[name]):
                    return False
            elif list(new[name].shape) != shape_of(name, parameter) or bits(slot) != bits(new[name][:rows].contiguous()):
                return False
            elif new[name][rows:].count_nonzero() > 0:
                return False
    return before["param_groups"] == after["param_groups"]


def answer(case, job):
    ours = torch.load(case["ours"], weights_only=True)
    old = make(case["model"], case["old"])
    old.load_state_dict(ours["model"], strict=True)
    old.fc = extended(old.fc, case["classes"], case["seed"])
    grown = torch.load(case["grown"], weights_only=True)
    net = make(case["model"], case["classes"])
    net.load_state_dict(grown["model"], strict=True)
    recipe = old.state_dict()
    same = {
        "names": list(recipe) == list(net.state_dict()) and recipe._metadata == grown["model"]._metadata,
        "weights": all(bits(recipe[key]) == bits(value) for key, value in net.state_dict().items()),
        "slots": slots_grown(ours["optimizer"], grown["optimizer"], grouped(case, net)),
    }
    net.eval()
    inputs = torch.tensor(np.array(job["inputs"], "f4")).view(-1, 3, 8, 8)
    with torch.no_grad():
        logits = [net(inputs[i : i + BATCH]) for i in range(0, len(inputs), BATCH)]
    optimizer = begin(case, net)
    optimizer.load_state_dict(grown["optimizer"])
    losses = run(net, optimizer, job, case["steps"])
    torch.save(net.state_dict(), case["out"])
    return {"logits": torch.cat(logits).flatten().tolist(), "losses": losses, "same": same}


def loads(order, job):
    grown = torch.load(order["grown"], weights_only=True)
    net = make(order["model"], order["classes"])
    net.load_state_dict(grown["model"], strict=True)
    optimizer = begin(order, net)
    optimizer.load_state_dict(grown["optimizer"])
    return bool(np.isfinite(run(net, optimizer, job, 1)).all())


torch.set_num_threads(1)
job = json.load(sys.stdin)
print(
    json.dumps(
        {
            "cases": [answer(case, job) for case in job["cases"]],
            "orders": [loads(order, job) for order in job["orders"]],
        }
    )
)
