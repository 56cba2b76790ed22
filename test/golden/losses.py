"""Computes losses of torch.nn, for losses.test.mjs.

    python losses.py < jobs.json

A job of one step: {"loss": a class of torch.nn, "options": its arguments, "outputs": [{"data", "shape"}], "targets": null or
{"data", "shape", "integer"}, "squeeze": whether outputs lose their second axis}. Answers {"loss", "gradients": of the outputs, a flat list each}.

A job of a training: also {"inputs", "train": {"features", "outputs", "view", "batch", "epochs", "init": the first weights, "out": where to write
the last}}. Answers {"losses"}.
"""

import json
import re
import sys

import numpy as np
import torch
import torch.nn as nn


def tensor(given):
    kind = "i8" if given.get("integer") else "f4"
    return torch.from_numpy(np.array(given["data"], kind).reshape(given["shape"]))


def criterion(job, **more):
    options = {}
    for name, value in job["options"].items():
        name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)
        if name in ("output", "outputs", "classes_last") or value is None:
            continue
        if name in ("weight", "pos_weight"):
            value = torch.tensor(value, dtype=torch.float32)
        options[name] = value
    return getattr(nn, job["loss"])(**{**options, **more})


def arguments(job, outputs, target):
    if job["options"].get("classesLast"):
        return outputs[0].flatten(0, -2), target.flatten()
    if job["loss"] == "GaussianNLLLoss":
        return outputs[0], target, outputs[1]
    return (*outputs, target) if target is not None else tuple(outputs)


def step(job):
    values = [tensor(output) for output in job["outputs"]]
    offsets = [torch.zeros_like(value, requires_grad=True) for value in values]
    outputs = [value + offset for value, offset in zip(values, offsets)]
    if job.get("squeeze"):
        outputs = [output.squeeze(1) for output in outputs]
    target = tensor(job["targets"]) if job["targets"] else None
    loss = criterion(job)(*arguments(job, outputs, target))
    loss.backward()
    return {"loss": loss.item(), "gradients": [offset.grad.flatten().tolist() for offset in offsets]}


def train(job):
    run = job["train"]
    layers = [nn.Linear(run["features"], 16), nn.ReLU(), nn.Linear(16, run["outputs"])]
    net = nn.Sequential()
    for name, layer in zip(["fc1", "relu", "fc2"], layers):
        net.add_module(name, layer)
    net.load_state_dict(torch.load(run["init"], weights_only=True))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    inputs, targets = tensor(job["inputs"]), tensor(job["targets"])
    loss_of, losses = criterion(job), []
    for _ in range(run["epochs"]):
        for first in range(0, len(inputs), run["batch"]):
            batch = slice(first, first + run["batch"])
            optimizer.zero_grad()
            output = net(inputs[batch])
            if run.get("view"):
                output = output.view(-1, *run["view"])
            loss = loss_of(output, targets[batch])
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    torch.save(net.state_dict(), run["out"])
    return {"losses": losses}


torch.set_num_threads(1)
print(json.dumps([train(job) if "train" in job else step(job) for job in json.load(sys.stdin)]))
