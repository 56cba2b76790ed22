"""What torch.save pickles of containers of many sizes, which Python's pickler writes in groups of 1000.

    python pickles.py [FOLDER]    prints pickles.json: for each case the SHA-256 of its data.pkl. To FOLDER it writes the
                                  checkpoints themselves

Made with torch 2.13.0.
"""
import hashlib
import io
import json
import pathlib
import sys
import zipfile
from collections import OrderedDict

import torch

SIZES = 0, 1, 2, 999, 1000, 1001, 2000, 2001, 3001


def nested(n):
    return [{"a": [0] * n, "b": tuple(range(n))}, OrderedDict((i, {i: i}) for i in range(n)), [[]] * n]


MAKERS = {
    "dict": lambda n: {i: i for i in range(n)},
    "OrderedDict": lambda n: OrderedDict((i, i) for i in range(n)),
    "list": lambda n: list(range(n)),
    "tuple": lambda n: tuple(range(n)),
    "set": lambda n: set(range(n)),
    "nested": nested,
}

# A state dict of tensors, plain or ordered, and one inside a checkpoint: for the files alone.
STATES = {
    "plain state": lambda n: {f"k{i}": torch.ones(1) for i in range(n)},
    "ordered state": lambda n: OrderedDict((f"k{i}", torch.ones(1)) for i in range(n)),
    **{f"{name} beside a state": lambda n, make=make: {"model": {"w": torch.ones(1)}, "x": make(n)}
       for name, make in MAKERS.items()},
}  # fmt: skip

golden = {}
for name, make in MAKERS.items():
    for size in SIZES:
        buffer = io.BytesIO()
        torch.save(make(size), buffer)
        pickle = zipfile.ZipFile(buffer).read("archive/data.pkl")
        golden[f"{name} {size}"] = hashlib.sha256(pickle).hexdigest()
if len(sys.argv) > 1:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name, make in STATES.items():
        for size in SIZES:
            if size > 0:
                torch.save(make(size), folder / f"{name} {size}.pth")
print(json.dumps(golden, indent=1))
