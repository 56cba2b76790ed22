"""Honest files for the fuzzers to begin with, as torch.save and the safetensors library write them. For python.py."""
import collections
import os

import torch

try:
    import safetensors.torch
except ImportError:
    safetensors = None


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(8, 3, bias=False)
    )


def training():
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    model(torch.randn(4, 1, 4, 4)).sum().backward()
    optimizer.step()
    return {
        "epoch": 3,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "best": 0.5,
        "args": {"name": "größe", "sizes": (1, 2**40, -3), "seen": {1, 2}, "note": b"\x00\xff", "empty": [[], {}, ()]},
    }


def dtypes():
    kinds = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16]
    kinds += [torch.int8, torch.uint8, torch.bool, torch.complex64, torch.complex128, torch.uint16, torch.float8_e5m2]
    return {str(kind): (torch.arange(6) % 2).to(kind) for kind in kinds}


def views():
    base = torch.arange(24, dtype=torch.float32)
    return collections.OrderedDict(
        whole=base,
        rows=base.view(4, 6),
        turned=base.view(4, 6).t(),
        part=base[5:9],
        steps=base[::3],
        one=base[7],
        none=base[3:3],
        wide=base[2].expand(3, 2),
        parameter=torch.nn.Parameter(base[:4].clone()),
        tied=base.view(4, 6),
    )


def plain():
    weights = {"w": torch.ones(2), "b": torch.zeros(1, dtype=torch.int64)}
    extra = [None, True, False, 0, 255, 256, -1, 2**31, 2**70, -(2**70), 1.5, float("inf"), "a" * 300, (), (1,)]
    return {"state_dict": weights, "extra": extra, "again": weights, "deep": {"a": {"b": {"c": [weights["w"]]}}}}


OBJECTS = {"network": lambda: network().state_dict(), "training": training, "dtypes": dtypes, "views": views, "plain": plain}


def write(folder):
    for name, make in OBJECTS.items():
        value = make()
        torch.save(value, os.path.join(folder, f"{name}.pth"))
        if name != "dtypes":
            torch.save(value, os.path.join(folder, f"{name}.legacy"), _use_new_zipfile_serialization=False)
    for protocol in (3, 4, 5):
        torch.save(plain(), os.path.join(folder, f"protocol{protocol}.pth"), pickle_protocol=protocol)
    if safetensors is None:
        return
    tensors = {name: value.clone() for name, value in dtypes().items() if value.dtype != torch.complex128}
    safetensors.torch.save_file(tensors, os.path.join(folder, "dtypes.safetensors"))
    safetensors.torch.save_file(network().state_dict(), os.path.join(folder, "network.safetensors"), {"format": "pt"})
