"""Steps the schedulers of torch.optim.lr_scheduler, for schedulers.test.mjs.

    python schedulers.py < jobs.json

{"cases": [...], "epochs", "stops": for each case, "theirs": where to write states, "ours": states of torch-incremental}. A case:
{"optimizer": its class, "options", "groups": options of each, "scheduler": [class, arguments...], "monitored": [...]}. Before "ours" is
given, prints for each case the rates of every step, and writes the states after each stop and at the end to "theirs". After that, prints
whether the states in "ours" are the same to the type and the bit, and the rates that follow from them.
"""

import copy
import json
import sys
import warnings

import torch
from torch.optim import lr_scheduler

# It would say that the optimizer has not stepped yet: it does so without gradients.
warnings.simplefilter("ignore")


def made(spec, optimizer):
    name, *arguments = spec
    if name in ("SequentialLR", "ChainedScheduler"):
        inner, *options = arguments
        schedulers = [made(one, optimizer) for one in inner]
        if name == "ChainedScheduler":
            return lr_scheduler.ChainedScheduler(schedulers)
        return lr_scheduler.SequentialLR(optimizer, schedulers, **options[0])
    return getattr(lr_scheduler, name)(optimizer, **arguments[0])


def begin(case):
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], **options} for options in case["groups"]]
    optimizer = getattr(torch.optim, case["optimizer"])(groups, **case["options"])
    return optimizer, made(case["scheduler"], optimizer)


def rates(optimizer):
    """As hexadecimal digits, which JSON keeps."""
    return [
        [float(group["lr"]).hex(), *(float(x).hex() for x in [group.get("momentum"), group.get("betas", [None])[0]] if x is not None)]
        for group in optimizer.param_groups
    ]


def run(case, optimizer, scheduler, first, last):
    seen = []
    for epoch in range(first, last):
        seen.append(rates(optimizer))
        optimizer.step()
        if case["monitored"] is None:
            scheduler.step()
        else:
            scheduler.step(case["monitored"][epoch])
    return seen


def same(a, b):
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a.hex() == b.hex() if isinstance(a, float) else a == b)


def theirs(job):
    answers, states = [], []
    for case, stops in zip(job["cases"], job["stops"]):
        optimizer, scheduler = begin(case)
        seen, at = [], []
        for first, last in zip([0, *stops], [*stops, job["epochs"]]):
            seen += run(case, optimizer, scheduler, first, last)
            # A copy: schedulers continue to write into what they give.
            at.append(copy.deepcopy({"scheduler": scheduler.state_dict(), "optimizer": optimizer.state_dict()}))
        answers.append(seen)
        states.append(at)
    torch.save({"model": {"w": torch.zeros(1)}, "states": states}, job["theirs"])
    return answers


def continued(job):
    ours = torch.load(job["ours"], weights_only=True)["states"]
    own = torch.load(job["theirs"], weights_only=True)["states"]
    answers = []
    for case, stops, states, expected in zip(job["cases"], job["stops"], ours, own):
        agree = [same(a["scheduler"], b["scheduler"]) for a, b in zip(expected, states)]
        followed = []
        for stop, state in zip(stops, states):
            optimizer, scheduler = begin(case)
            for group, given in zip(optimizer.param_groups, state["groups"]):
                group.update(given)
            scheduler.load_state_dict(state["scheduler"])
            followed.append(run(case, optimizer, scheduler, stop, job["epochs"]))
        answers.append({"agree": agree, "followed": followed})
    return answers


def float_of(value):
    """JSON has no floats that are whole, and no infinity: {"float": "1"} is one."""
    return float(value["float"]) if list(value) == ["float"] else value


if __name__ == "__main__":
    job = json.load(sys.stdin, object_hook=float_of)
    print(json.dumps(continued(job) if "ours" in job else theirs(job)))
