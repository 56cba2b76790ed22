"""Whole pickled models, as torch.save(model) writes them: sound ones, and those whose pickle does not show all weights.

    python modules.py FOLDER   writes each to FOLDER; prints for each the tensors of its state_dict() as {name: shape}, or null
                               where it has entries that the pickle shows only as packed weights, or that a hook made

Made with torch 2.13.0.
"""
import json
import pathlib
import sys
import warnings

import torch
from torch import nn

warnings.simplefilter("ignore")
folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)


def add_more(module, state, prefix, local_metadata):
    state[prefix + "more"] = torch.ones(2)


def add_others(module, state, prefix, local_metadata):
    add_more(module, state, prefix, local_metadata)


def do_nothing(module, prefix, keep_vars):
    pass


def linear(**changes):
    layer = nn.Linear(2, 2)
    for name, value in changes.items():
        setattr(layer, name, value)
    return layer


def quantised(*kinds):
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.LSTM(4, 2), nn.Conv1d(1, 1, 1))
    return torch.ao.quantization.quantize_dynamic(model, set(kinds), dtype=torch.qint8)


def with_none():
    layer = linear()
    layer.register_parameter("none", None)
    layer.register_buffer("no_buffer", None)
    model = nn.Sequential(layer)
    model.add_module("no_child", None)
    return model


def with_hidden():
    layer = linear()
    layer.register_buffer("hidden", torch.ones(1), persistent=False)
    layer.register_buffer("shown", torch.ones(1))
    return nn.Sequential(layer)


def twice():
    layer = linear()
    return nn.Sequential(layer, nn.Sequential(layer))


def hooked(register, hook):
    layer = linear()
    getattr(layer, register)(hook)
    return nn.Sequential(layer)


parameters = [nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))]
whole = {
    "list of parameters": nn.ParameterList(parameters),
    "dict of parameters": nn.ParameterDict({"a": parameters[0], "b": parameters[1]}),
    "none": with_none(),
    "twice": twice(),
    "loose tensor": linear(loose=torch.ones(3)),
    "weight norm": nn.utils.weight_norm(linear()),
    "spectral norm": nn.utils.spectral_norm(linear()),
    "lstm": nn.LSTM(2, 3),
    "attention": nn.MultiheadAttention(4, 2),
    "data parallel": nn.DataParallel(nn.BatchNorm2d(3)),
    "averaged": torch.optim.swa_utils.AveragedModel(linear()),
}
lacking = {
    "quantised linear": quantised(nn.Linear),
    "quantised lstm": quantised(nn.LSTM),
    "post hook": hooked("register_state_dict_post_hook", add_more),
    "hook": hooked("_register_state_dict_hook", add_others),
    "pre hook": hooked("register_state_dict_pre_hook", do_nothing),
}
facts = {}
for name, model in {**whole, **lacking}.items():
    torch.save(model, folder / f"{name}.pth")
    facts[name] = None if name in lacking else {key: list(value.shape) for key, value in model.state_dict().items()}
for protocol in (2, 4, 5):
    name = f"hidden {protocol}"
    torch.save(with_hidden(), folder / f"{name}.pth", pickle_protocol=protocol)
    facts[name] = {key: list(value.shape) for key, value in with_hidden().state_dict().items()}
print(json.dumps(facts))
