"""The optimizers of torch.optim, each after a step, as a training checkpoint has them.

    python optimizers.py          prints optimizers.json: the keys of each one's parameter groups and of its states
    python optimizers.py FOLDER   writes a checkpoint of each to FOLDER; and forms of SGD, dicts of old releases and rates as tensors,
                                  with what they make of one more step

Made with torch 2.13.0.
"""
import json
import pathlib
import sys
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")


def model():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 2))


INPUTS = torch.arange(12.0).view(4, 3) / 8 - 0.75
LABELS = torch.tensor([0, 1, 1, 0])


def step(net, optimizer, sparse=False):
    def closure():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(INPUTS), LABELS)
        loss.backward()
        if sparse:
            for parameter in net.parameters():
                parameter.grad = parameter.grad.to_sparse()
        return loss

    if type(optimizer).__name__ == "LBFGS":
        optimizer.step(closure)
    else:
        closure()
        optimizer.step()


def each():
    for name in sorted(dir(torch.optim)):
        made = getattr(torch.optim, name)
        if not isinstance(made, type) or not issubclass(made, torch.optim.Optimizer) or made is torch.optim.Optimizer:
            continue
        net = model()
        # Muon is for matrices alone.
        parameters = [p for p in net.parameters() if p.dim() == 2 or name != "Muon"]
        optimizer = made(parameters, **({"momentum": 0.9} if name in ("SGD", "RMSprop") else {}))
        step(net, optimizer, sparse=name == "SparseAdam")
        yield name, net, optimizer


def forms_of_sgd():
    """name → options of each group, and its parameters."""
    both, named = (lambda net: [*net.parameters()]), (lambda net: [*net.named_parameters()])
    reversed_groups = lambda net: [{"params": [item]} for item in reversed(named(net))]  # noqa: E731
    yield "plain", both, {}
    yield "momentum", both, {"momentum": 0.9}
    yield "integers", both, {"momentum": 0, "weight_decay": 0}
    yield "nesterov", both, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}
    yield "foreach", both, {"momentum": 0.9, "foreach": True}
    yield "fused", both, {"momentum": 0.9, "fused": True}
    yield "differentiable", both, {"momentum": 0.9, "differentiable": False, "maximize": False}
    yield "tensor", both, {"momentum": 0.5, "lr": torch.tensor(0.25, dtype=torch.float64)}
    yield "names", named, {"momentum": 0.9}
    yield "groups", reversed_groups, {"momentum": 0.9}


# The keys of a parameter group in PyTorch 1.0, or in the release that an optimizer came with; PyTorch needs eps too.
OLD = {
    "SGD": "lr momentum dampening weight_decay nesterov",
    "Adam": "lr betas eps weight_decay amsgrad",
    "AdamW": "lr betas eps weight_decay amsgrad",
    "NAdam": "lr betas eps weight_decay momentum_decay",
    "RAdam": "lr betas eps weight_decay",
    "Adamax": "lr betas eps weight_decay",
    "RMSprop": "lr momentum alpha eps centered weight_decay",
    "Rprop": "lr etas step_sizes",
    "ASGD": "lr lambd alpha t0 weight_decay",
    "Adadelta": "lr rho eps weight_decay",
    "Adagrad": "lr lr_decay eps weight_decay initial_accumulator_value",
}


def as_of_old(name, state):
    """The state_dict() as old releases had it: without keys that came later, and with plain numbers."""
    kept = OLD[name].split() + ["params"]
    groups = [{key: value for key, value in group.items() if key in kept} for group in state["param_groups"]]
    plain = lambda value: value.item() if torch.is_tensor(value) and value.dim() == 0 else value  # noqa: E731
    steps = lambda key, value: int(value) if key == "step" else plain(value)  # noqa: E731
    states = {number: {key: steps(key, value) for key, value in own.items()} for number, own in state["state"].items()}
    return {"state": states, "param_groups": groups}


def write_forms(folder):
    for name in [*OLD, "Adafactor", "Muon"]:
        forms = {"float32": torch.tensor(0.013), "float64": torch.tensor(0.013, dtype=torch.float64)}
        forms |= {"of one element": torch.tensor([0.013], dtype=torch.float64)}
        forms |= {"old": 0.013} if name in OLD else {}
        for form, lr in forms.items():
            net = model()
            parameters = [p for p in net.parameters() if p.dim() == 2 or name != "Muon"]
            optimizer = getattr(torch.optim, name)(parameters, lr=lr)
            step(net, optimizer)
            state = optimizer.state_dict()
            if form == "old":
                state = as_of_old(name, state)
                optimizer = getattr(torch.optim, name)(parameters)
                optimizer.load_state_dict(state)
            torch.save({"model": net.state_dict(), "optimizer": state, "epoch": 1}, folder / f"{name} {form}.ckpt")
            step(net, optimizer)
            torch.save(net.state_dict(), folder / f"{name} {form}.pth")


def write(folder):
    folder.mkdir(exist_ok=True)
    write_forms(folder)
    for name, net, optimizer in each():
        torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}, folder / f"{name}.ckpt")
    for name, parameters, options in forms_of_sgd():
        net = model()
        optimizer = torch.optim.SGD(parameters(net), **{"lr": 0.25, **options})
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 100)
        step(net, optimizer)
        scheduler.step()
        torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 1}, folder / f"sgd {name}.ckpt")
        step(net, optimizer)
        torch.save(net.state_dict(), folder / f"sgd {name}.pth")


if len(sys.argv) > 1:
    write(pathlib.Path(sys.argv[1]))
keys = {}
for name, _, optimizer in each():
    state = optimizer.state_dict()
    kept = sorted({key for entry in state["state"].values() for key in entry})
    keys[name] = {"group": list(state["param_groups"][0]), "state": kept}
print(json.dumps(keys, indent=1))
