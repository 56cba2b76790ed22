"""Makes and checks state dicts as PyTorch and safetensors do, for state-editing.test.mjs.

    python state_editing.py make FOLDER     three states of many dtypes, what torch.save makes of a dict, sharded checkpoints
    python state_editing.py check FOLDER    prints {name: whether what torch-incremental made of them is what PyTorch makes}
"""

import collections
import json
import pathlib
import sys

import torch
import torch.nn as nn
from safetensors.torch import save_file

command, folder = sys.argv[1], pathlib.Path(sys.argv[2])
DTYPES = "float32 float64 float16 bfloat16 complex64 complex128 float8_e5m2 float8_e4m3fn int64 uint8 bool".split()


def net():
    return nn.Sequential(
        collections.OrderedDict(conv=nn.Conv2d(3, 4, 3), bn=nn.BatchNorm2d(4), relu=nn.ReLU(), fc=nn.Linear(4, 2))
    )


def tensor(dtype, generator):
    kind = getattr(torch, dtype)
    wide = torch.complex128 if kind.is_complex else torch.float64
    values = 3 * torch.randn(33, 7, generator=generator, dtype=wide)
    if not kind.is_floating_point and not kind.is_complex:
        values = values.abs()
    return values.to(kind)


def shard(path, parts, extension, save):
    path.mkdir()
    files = [f"model-{i + 1:05}-of-{len(parts):05}.{extension}" for i in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        save(part, path / file)
    weights = {name: file for file, part in zip(files, parts, strict=True) for name in part}
    total = sum(tensor.numel() * tensor.element_size() for part in parts for tensor in part.values())
    index = {"metadata": {"total_size": total}, "weight_map": weights}
    (path / f"model.{extension}.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def bits(value):
    return value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def same(a, b):
    return list(a) == list(b) and all(a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and bits(a[k]) == bits(b[k]) for k in a)


def make():
    for number in range(3):
        generator = torch.Generator().manual_seed(number)
        torch.save({dtype: tensor(dtype, generator) for dtype in DTYPES}, folder / f"state-{number}.pth")
    torch.save({"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(5), "c": torch.zeros(0, 3)}, folder / "dict.pth")
    torch.manual_seed(0)
    model = net().state_dict()
    torch.save(model, folder / "net.pth")
    halves = [dict(list(model.items())[:4]), dict(list(model.items())[4:])]
    shard(folder / "safe", halves, "safetensors", lambda part, file: save_file(part, file, metadata={"format": "pt"}))
    halves[1]["tied"] = halves[1]["fc.weight"]
    shard(folder / "bin", halves, "bin", torch.save)


def mean(tensors):
    """The recipe of docs/api.md; of complex numbers in complex128."""
    wide = torch.complex128 if tensors[0].is_complex() else torch.float64
    return (sum(t.to(wide) for t in tensors) / len(tensors)).to(tensors[0].dtype)


def check():
    def load(name):
        return torch.load(folder / name, weights_only=True)

    states = [load(f"state-{number}.pth") for number in range(3)]
    exact = ("int64", "uint8", "bool")
    expected = {k: states[-1][k] if k in exact else mean([state[k] for state in states]) for k in DTYPES}
    wrapped = nn.DataParallel(net())
    wrapped.load_state_dict(load("wrapped.pth"), strict=True)
    head = nn.Linear(4, 2)
    head.load_state_dict(load("head.pth"), strict=True)
    joined, whole = load("joined.pth"), load("net.pth")
    answers = {
        "average": same(load("average.pth"), expected),
        "dict": (folder / "made" / "dict.pth").read_bytes() == (folder / "dict.pth").read_bytes(),
        "wrapped": load("wrapped.pth")._metadata == wrapped.state_dict()._metadata,
        "wrapped order": list(load("wrapped.pth")._metadata) == list(wrapped.state_dict()._metadata),
        "head": bits(head.weight.detach()) == bits(whole["fc.weight"]),
        "joined": same({k: joined[k] for k in whole}, whole) and list(joined) == [*whole, "tied"],
        "tied": joined["tied"].data_ptr() == joined["fc.weight"].data_ptr(),
        "merged": (folder / "made" / "net.pth").read_bytes() == (folder / "net.pth").read_bytes(),
    }
    print(json.dumps(answers))


{"make": make, "check": check}[command]()
