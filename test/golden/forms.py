"""Makes checkpoints of many forms, and forms.json, which says which tensors loadState must find in them.

    python forms.py make [FOLDER [KEPT]]  writes them (default: forms/ beside this file), and to KEPT what saveState is to
                                          keep of each, as torch.save writes it
    python forms.py check KEPT OURS       compares what saveState made of each, in OURS, with that: nested structure, types,
                                          bits, and which tensors share a storage
    python forms.py safetensors FOLDER    writes two files with the safetensors library, and what they hold as .pth
    python forms.py load FILE OURS        compares a .pth with what the safetensors library reads in OURS

Made with torch 2.13.0.
"""
import hashlib
import io
import json
import pathlib
import random
import struct
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

import checkpoints
import forms_beside
import legacy_streams


def fake_class(module, name, base=object):
    """A class of a library that is not there, as pickles name it."""
    made = type(name, (base,), {"__module__": module})
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        path = ".".join(parts[:i])
        sys.modules.setdefault(path, type(sys)(path))
    setattr(sys.modules[module], name, made)
    return made


def network():
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2), fc=nn.Linear(2, 3)))


def trained(model, make_optimizer):
    optimizer = make_optimizer(model.parameters())
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 5])
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    scheduler.step()
    return optimizer.state_dict(), scheduler.state_dict()


def training(make_optimizer):
    model = network()
    optimizer, scheduler = trained(model, make_optimizer)
    return {
        "epoch": 3,
        "lr": 1.0,
        "loss": 0.1 + 0.2,
        "odd": [float("nan"), float("inf"), -0.0, 2**70, -1, True, None, (), ((1,), [2.0]), b"\x00\xff", {"a", "b"}],
        "model": model.state_dict(),
        "optimizer": optimizer,
        "scheduler": scheduler,
        "rng": {"torch": torch.get_rng_state(), "python": random.getstate()},
    }


def lightning():
    namespace = fake_class("lightning.fabric.utilities.data", "AttributeDict", dict)
    callback = fake_class("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")()
    callback.best = torch.ones(2)
    model = network()
    optimizer, scheduler = trained(model, torch.optim.AdamW)
    plain = {
        "epoch": 1,
        "global_step": 20,
        "pytorch-lightning_version": "2.5.0",
        "state_dict": OrderedDict((f"model.{name}", tensor) for name, tensor in model.state_dict().items()),
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 2}}}},
        "optimizer_states": [optimizer],
        "lr_schedulers": [scheduler],
        "callbacks": {"EarlyStopping": {"wait_count": 0, "best_score": torch.tensor(0.5)}},
    }
    kept = {**plain, "state_dict": OrderedDict(model.state_dict().items())}
    return {**plain, "hyper_parameters": namespace(lr=0.1), "callback": callback}, kept


def whole_model():
    made = fake_class("models", "Net", nn.Module)()
    made.fc, made.norm = nn.Linear(2, 2), nn.BatchNorm1d(2)
    made.register_buffer("hidden", torch.zeros(1), persistent=False)
    return made, OrderedDict(made.state_dict().items())


def wrapped():
    model = network()
    return nn.DataParallel(torch.compile(model)).state_dict(), model.state_dict()


def averaged():
    model, other = network().state_dict(), network().state_dict()
    return {"model": model, "ema": {"decay": 0.999, "shadow": other}, "updates": 7}


def with_numpy():
    weights, state = network().state_dict(), np.random.RandomState(1).get_state()
    values = {"f8": np.float64(2), "f4": np.float32(0.5), "i8": np.int64(-3), "b": np.bool_(True)}
    arrays = {"rows": np.arange(6.0).reshape(2, 3), "u1": np.zeros(3, np.uint8), "rng": state}
    kept = {"f8": 2.0, "f4": 0.5, "i8": -3, "b": True, "rows": arrays["rows"].tolist(), "u1": [0, 0, 0]}
    kept["rng"] = tuple(item.tolist() if isinstance(item, np.ndarray) else item for item in state)
    return {"model": weights, **values, **arrays}, {"model": weights, **kept}


def parameters():
    named = dict(network().named_parameters())
    return named, {name: tensor.detach() for name, tensor in named.items()}


def saved(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def deflated(value):
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(value))) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    return buffer.getvalue()


def legacy(value, protocol=2):
    return saved(value, _use_new_zipfile_serialization=False, pickle_protocol=protocol)


def forms():
    """name → bytes, what is to be kept, the state in it, options of loadState."""
    sgd = lambda parameters: torch.optim.SGD(parameters, lr=0.5, momentum=0.9)  # noqa: E731
    dtypes, sharing, plain = legacy_streams.every_dtype(), checkpoints.Sharing().state_dict(), network().state_dict()
    yield "legacy dtypes.pt", legacy(dtypes), dtypes, dtypes, {}
    yield "legacy sharing.pt", legacy(sharing), sharing, sharing, {}
    for protocol in (3, 4, 5):
        yield f"legacy {protocol}.pt", legacy(plain, protocol), plain, plain, {}
    for name, (data, kept) in legacy_streams.by_hand().items():
        yield name, data, kept, kept, {}
    for name, make in (("sgd", sgd), ("adam", torch.optim.Adam)):
        for form, write in (("", saved), ("legacy ", legacy), ("deflated ", deflated)):
            value = training(make)
            yield f"{form}training {name}.pt", write(value), value, value["model"], {}
    value, kept = lightning()
    yield "lightning.ckpt", saved(value), kept, kept["state_dict"], {"stripPrefix": "auto"}
    value, kept = whole_model()
    yield "whole model.pt", saved(value), kept, kept, {}
    value, kept = wrapped()
    yield "wrapped.pt", saved(value), kept, kept, {"stripPrefix": "auto"}
    value = averaged()
    yield "ema.pt", saved(value), value, value["ema"]["shadow"], {"key": "ema.shadow"}
    value, kept = with_numpy()
    yield "numpy.pt", saved(value), kept, kept["model"], {}
    value, kept = parameters()
    yield "parameters.pt", saved(value), kept, kept, {}
    yield "legacy parameters.pt", legacy(value), kept, kept, {}
    yield from forms_beside.forms(network, saved, legacy)


def make(folder, kept_folder=None):
    torch.manual_seed(0)
    random.seed(0)
    folder.mkdir(exist_ok=True)
    facts = {}
    for name, data, kept, state, options in forms():
        (folder / name).write_bytes(data)
        if kept_folder:
            kept_folder.mkdir(exist_ok=True)
            torch.save(kept, kept_folder / name)
        tensors = [{k: v for k, v in tensor.items() if k != "storage"} for tensor in checkpoints.describe(state)["tensors"]]
        facts[name] = {"options": options, "tensors": tensors}
    lines = [f"{json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts.items()]
    (folder / "forms.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def bits(tensor):
    return bytes(tensor.detach().contiguous().reshape(-1).view(torch.uint8).tolist())


def same(a, b, path, storages):
    """Raises where they differ. `storages`: which storage of `b` is that of `a`."""
    assert type(a) is type(b), (path, type(a), type(b))
    if isinstance(a, torch.Tensor):
        assert (a.dtype, a.shape, a.stride(), a.storage_offset()) == (b.dtype, b.shape, b.stride(), b.storage_offset()), path
        assert bits(a) == bits(b), path
        if a.numel():
            pointers = [tensor.untyped_storage().data_ptr() for tensor in (a, b)]
            assert storages.setdefault(pointers[0], pointers[1]) == pointers[1], path
    elif isinstance(a, dict):
        assert list(a) == list(b) and [*map(type, a)] == [*map(type, b)], (path, list(a), list(b))
        for key in a:
            same(a[key], b[key], f"{path}[{key!r}]", storages)
        same(getattr(a, "__dict__", None), getattr(b, "__dict__", None), f"{path}.__dict__", storages)
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        for i, (first, second) in enumerate(zip(a, b)):
            same(first, second, f"{path}[{i}]", storages)
    elif isinstance(a, float):
        assert struct.pack(">d", a) == struct.pack(">d", b), (path, a, b)
    else:
        assert a == b, (path, a, b)


def check(kept_folder, ours):
    for path in sorted(kept_folder.iterdir()):
        torch.load(ours / path.name, weights_only=True, map_location="meta")
        written = torch.load(ours / path.name, weights_only=True)
        same(torch.load(path, weights_only=False), written, path.name, {})
        print(path.name)


def write_safetensors(folder):
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    dtypes = {name: tensor for name, tensor in checkpoints.every_dtype().items() if name != "complex128"}
    names = {"größe\n\"\\\x7f": torch.ones(2), "__proto__": torch.zeros(1), "10": torch.zeros(2, 0), "2": torch.tensor(1.5)}
    for name, state in (("dtypes", {**dtypes, **names}), ("none", {})):
        save_file(state, folder / f"{name}.safetensors", metadata={"format": "pt"})
        torch.save(state, folder / f"{name}.pth")


def load(file, ours):
    from safetensors.torch import load_file

    wanted, written = torch.load(file, weights_only=True), load_file(ours)
    assert sorted(wanted) == sorted(written)
    for name, tensor in wanted.items():
        assert tensor.dtype == written[name].dtype and tensor.shape == written[name].shape, name
        assert bits(tensor) == bits(written[name]), name


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    folders = [pathlib.Path(item) for item in rest] or [pathlib.Path(__file__).parent / "forms"]
    {"make": make, "check": check, "safetensors": write_safetensors, "load": load}[command](*folders)
