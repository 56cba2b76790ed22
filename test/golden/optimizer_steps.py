"""Trains with the optimizers of torch.optim, for optimizer-steps.test.mjs, parameter-groups.test.mjs and
scheduled-steps.test.mjs.

    python optimizer_steps.py < jobs.json

A job: {"model": "cnn" | "mlp", "optimizer": its class, "options": its arguments, "inputs": [...], "labels": [...], "init": a state dict
to begin with, "ours": a checkpoint of torch-incremental after 13 steps, "end": its checkpoint after 39, "theirs": where to write one
after 13 steps, "out": where to write the weights after 39, and where parameters are in groups "groups": [{"params": their names, and
options of its own}], "frozen": names of those in none, "rest": {"optimizer", "options", "params"} of another optimizer for these names, "eval":
modules that stay in evaluation mode; "scheduler": as in schedulers.py, and
whether it steps "every" step or epoch}. Prints for each job {"losses", "rates": learning rates of each step, "continued": the losses
after "ours", "same": whether both runs and "end" agree to the bit, in weights, parameter groups and states}.
"""

import json
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from schedulers import float_of, made

BATCH, STEPS, SPLIT = 8, 39, 13


def make(name):
    net = nn.Sequential()
    if name == "cnn":
        layers = {
            "conv": nn.Conv2d(3, 4, 3, padding=1),
            "bn": nn.BatchNorm2d(4),
            "relu": nn.ReLU(),
            "pool": nn.MaxPool2d(2),
            "flatten": nn.Flatten(),
            "fc": nn.Linear(64, 5),
        }
    else:
        layers = {"flatten": nn.Flatten(), "fc1": nn.Linear(192, 16), "relu": nn.ReLU(), "fc2": nn.Linear(16, 5)}
    for key, layer in layers.items():
        net.add_module(key, layer)
    return net


def python(value):
    """JSON has no floats that are whole."""
    if isinstance(value, list):
        return tuple(map(python, value))
    return value if value is None or isinstance(value, (bool, str)) else float(value)


class Both:
    """Two optimizers, which are saved as the list of their state_dict()s."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    @property
    def param_groups(self):
        return [group for optimizer in self.optimizers for group in optimizer.param_groups]

    def zero_grad(self):
        for optimizer in self.optimizers:
            optimizer.zero_grad()

    def step(self):
        for optimizer in self.optimizers:
            optimizer.step()

    def state_dict(self):
        return [optimizer.state_dict() for optimizer in self.optimizers]

    def load_state_dict(self, states):
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)


def begin(job):
    net = make(job["model"])
    net.load_state_dict(torch.load(job["init"], weights_only=True))
    named = dict(net.named_parameters())
    for name in job.get("frozen", []):
        named[name].requires_grad_(False)
    groups = [options_of(group) | {"params": [named[name] for name in group["params"]]} for group in job.get("groups", [])]
    rest = job.get("rest", {"params": []})
    own = [parameter for name, parameter in named.items() if name not in rest["params"]]
    optimizer = getattr(torch.optim, job["optimizer"])(groups or own, **options_of(job["options"]))
    if rest["params"]:
        other = getattr(torch.optim, rest["optimizer"])([named[name] for name in rest["params"]], **options_of(rest["options"]))
        optimizer = Both(optimizer, other)
    return net, optimizer, made(job["scheduler"], optimizer) if "scheduler" in job else None


def options_of(given):
    return {key: value if key == "ns_steps" else python(value) for key, value in given.items() if key != "params"}


def run(net, optimizer, scheduler, job, first, last, rates=None):
    inputs = torch.tensor(np.array(job["inputs"], "f4")).view(-1, 3, 8, 8)
    labels = torch.tensor(job["labels"])
    per_epoch = len(labels) // BATCH
    net.train()
    for name in job.get("eval", []):
        net.get_submodule(name).eval()
    losses = []
    for step in range(first, last):
        batch = slice(step % per_epoch * BATCH, (step % per_epoch + 1) * BATCH)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(inputs[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if rates is not None:
            rates.append([group["lr"] for group in optimizer.param_groups])
        if scheduler is not None and (job["every"] == "step" or (step + 1) % per_epoch == 0):
            scheduler.step()
    return losses


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.numpy().tobytes() == b.numpy().tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def lists(*states):
    """Pairs of state_dict()s, of which there may be one or a list."""
    return list(zip(*(state if isinstance(state, list) else [state] for state in states), strict=True))


def answer(job):
    net, optimizer, scheduler = begin(job)
    rates = []
    losses = run(net, optimizer, scheduler, job, 0, SPLIT, rates)
    per_epoch = len(job["labels"]) // BATCH
    random = torch.get_rng_state()
    torch.save(
        {
            "model": net.state_dict(),
            "optimizer": optimizer.state_dict(),
            **({} if scheduler is None else {"scheduler": scheduler.state_dict()}),
            "epoch": SPLIT // per_epoch,
            "step": SPLIT % per_epoch,
            "random": {"state": random, "epoch": random},
        },
        job["theirs"],
    )
    losses += run(net, optimizer, scheduler, job, SPLIT, STEPS, rates)
    torch.save(net.state_dict(), job["out"])

    ours = torch.load(job["ours"], weights_only=True)
    other, resumed, schedule = begin(job)
    other.load_state_dict(ours["model"])
    resumed.load_state_dict(ours["optimizer"])
    if schedule is not None:
        schedule.load_state_dict(ours["scheduler"])
    done = ours["epoch"] * per_epoch + ours["step"]
    continued = run(other, resumed, schedule, job, done, STEPS)
    end = torch.load(job["end"], weights_only=True)
    ends = lists(optimizer.state_dict(), end["optimizer"])
    agreement = {
        "weights, resumed here": same(dict(net.state_dict()), dict(other.state_dict())),
        "state, resumed here": same(optimizer.state_dict(), resumed.state_dict()),
        "weights at the end": same(dict(net.state_dict()), dict(end["model"])),
        "groups at the end": all(same(a["param_groups"], b["param_groups"]) for a, b in ends),
        "state at the end": all(same(a["state"], b["state"]) for a, b in ends),
    }
    if scheduler is not None:
        agreement["scheduler, resumed here"] = same(scheduler.state_dict(), schedule.state_dict())
        agreement["scheduler at the end"] = same(scheduler.state_dict(), end["scheduler"])
    return {"losses": losses, "rates": rates, "continued": continued, "done": done, "same": agreement}


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps([answer(job) for job in json.load(sys.stdin, object_hook=float_of)]))
