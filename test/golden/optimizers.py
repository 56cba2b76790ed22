"""The optimizers of torch.optim, each after a step, as a training checkpoint has them.

    python optimizers.py          prints optimizers.json: the keys of each one's parameter groups and of its states
    python optimizers.py FOLDER   writes a checkpoint of each to FOLDER, and forms of SGD with what they make of one more step

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


def write(folder):
    folder.mkdir(exist_ok=True)
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
