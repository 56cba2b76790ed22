"""State dicts whose batch norms have no count of batches, or one with a dimension, as PyTorch before 0.4.1 and 0.4 saved them.

    python batch_counts.py FOLDER   writes each to FOLDER as NAME.pth, and as NAME.trained.pth what three steps of SGD make of
                                    the model that load_state_dict(strict=True) gives; prints which it took

The inputs are i / 64 - 1 for i in 0 … 191, as 4 samples of [3, 4, 4]; the labels 0, 1, 1, 0.
"""
import json
import pathlib
import sys
from collections import OrderedDict

import torch
from torch import nn

torch.set_num_threads(1)
folder = pathlib.Path(sys.argv[1])
inputs = (torch.arange(192.0) / 64 - 1).view(4, 3, 4, 4)
labels = torch.tensor([0, 1, 1, 0])
count = "1.num_batches_tracked"


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


def changed(value=None, version=None):
    """A copy with another count, or none; without _metadata, or with this version of the batch norm."""
    state = {name: tensor for name, tensor in model().state_dict().items() if name != count}
    if value is not None:
        state = {**{name: tensor for name, tensor in state.items() if name[0] < "2"}, count: value, **state}
    if version is None:
        return state
    state = OrderedDict(state)
    state._metadata = OrderedDict([("", {"version": 1}), ("1", {"version": version} if version else {})])
    return state


cases = {
    "none": changed(),
    "none, without a version": changed(version=0),
    "none, version 1": changed(version=1),
    "none, version 2": changed(version=2),
    "of one": changed(torch.tensor([7])),
    "of one, version 2": changed(torch.tensor([7]), version=2),
    "of three": changed(torch.tensor([5, 6, 7])),
    "of none": changed(torch.zeros(0, dtype=torch.int64)),
    "with two dimensions": changed(torch.tensor([[7]])),
    "float32": changed(torch.tensor(3.0)),
    "int32 of one": changed(torch.tensor([4], dtype=torch.int32)),
    "weights in float64": {name: tensor.double() for name, tensor in model().state_dict().items()},
    "a weight of one": {**model().state_dict(), "1.weight": torch.ones(1)},
}
taken = {}
for name, state in cases.items():
    torch.save(state, folder / f"{name}.pth")
    net = model()
    try:
        net.load_state_dict(state, strict=True)
    except (RuntimeError, IndexError):
        taken[name] = False
        continue
    taken[name] = True
    optimizer = torch.optim.SGD(net.parameters(), lr=0.25, momentum=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()
    torch.save(net.state_dict(), folder / f"{name}.trained.pth")
print(json.dumps(taken))
