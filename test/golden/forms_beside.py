"""Forms of checkpoints that hold more than weights, among them or under their prefix. For forms.py."""
import pathlib
import tempfile
from collections import Counter, OrderedDict

import torch
from torch import nn


def beside(network):
    """Flat weights, and what else weights_only reads, between them."""
    values = {"dtype": torch.float16, "size": torch.Size([2, 3]), "device": torch.device("cuda:1"), "complex": 1 + 2j}
    values |= {"counter": Counter("aab"), "bytes": b"\x00\xff", "bytearray": bytearray(b"q\xff"), "set": {1, 2}}
    values |= {"text": "a\ud800", "layout": torch.per_tensor_affine, "list": [torch.Size([]), {"x": (torch.int8,)}]}
    weights = network().state_dict()
    return {**weights, **values}, weights


def with_storages(network):
    weights = network().state_dict()
    alone = {"storage": torch.ones(3).untyped_storage(), "typed": torch.ones(2).storage()}
    return {"model": weights, **alone, "epoch": 1}, {"model": weights, "epoch": 1}


def with_attributes(state, **attributes):
    state.__dict__.update(attributes)
    return state


def averaged_model(network):
    """Of a DataParallel, with its own count beside the weights."""
    model = network()
    wrapper = torch.optim.swa_utils.AveragedModel(nn.DataParallel(model))
    wrapper.update_parameters(nn.DataParallel(model))
    return wrapper.state_dict(), with_attributes(model.state_dict(), n_averaged=torch.tensor(1))


def lightning_with_loss(network):
    """Weights of the loss, and of the module itself, beside those of its model."""
    own = {"criterion.weight": torch.ones(3), "class_weights": torch.arange(3.0)}
    weights = network().state_dict()
    prefixed = {f"model.{name}": tensor for name, tensor in weights.items()}
    state = OrderedDict([("criterion.weight", own["criterion.weight"]), *prefixed.items()])
    state["class_weights"] = own["class_weights"]
    plain = {"epoch": 1, "pytorch-lightning_version": "2.5.0"}
    kept = with_attributes(OrderedDict(weights.items()), **own)
    return {**plain, "state_dict": state}, {**plain, "state_dict": kept}


def skipped(network):
    """Room for storages that were never filled."""
    weights = network().state_dict()
    with tempfile.TemporaryDirectory() as folder, torch.serialization.skip_data():
        torch.save(weights, f"{folder}/skipped.pt")
        data = pathlib.Path(folder, "skipped.pt").read_bytes()
    for tensor in weights.values():
        tensor.zero_()
    return data, weights


def forms(network, saved, legacy):
    """As forms.forms()."""
    value, state = beside(network)
    yield "beside.pt", saved(value), value, state, {}
    yield "legacy beside.pt", legacy(value), value, state, {}
    value, kept = with_storages(network)
    yield "storages.pt", saved(value), kept, kept["model"], {}
    value, kept = averaged_model(network)
    yield "averaged model.pt", saved(value), kept, kept, {"stripPrefix": "auto"}
    value, kept = lightning_with_loss(network)
    yield "lightning with loss.ckpt", saved(value), kept, kept["state_dict"], {"stripPrefix": "auto"}
    value = {"epoch": 1, "a": {"b": {"c": {"d": network().state_dict(), "e": 2}}}}
    yield "four deep.pt", saved(value), value, value["a"]["b"]["c"]["d"], {}
    data, kept = skipped(network)
    yield "skipped.pt", data, kept, kept, {}
