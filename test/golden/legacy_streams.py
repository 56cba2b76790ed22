"""Legacy streams that no PyTorch of today writes: with parts of storages, with strings of Python 2, of a big-endian
machine. For forms.py."""
import io
import pickle
import pickletools
import struct
from collections import OrderedDict

import torch

import checkpoints

MAGIC = 0x1950A86A20F9469CFC6C


def every_dtype():
    """Those that a legacy stream can hold."""
    kept = OrderedDict()
    for name, tensor in checkpoints.every_dtype().items():
        buffer = io.BytesIO()
        torch.save({name: tensor}, buffer, _use_new_zipfile_serialization=False)
        buffer.seek(0)
        try:
            torch.load(buffer, weights_only=True)
        except Exception:
            continue
        kept[name] = tensor
    return kept


class Storage:
    def __init__(self, key, view=None):
        self.key, self.view = key, view


class Tensor:
    """Pickled as PyTorch before 0.4 did."""

    def __init__(self, storage, offset, size, stride):
        self.args = (storage, offset, size, stride)

    def __reduce__(self):
        return torch._utils._rebuild_tensor, self.args


def stream(value, roots, little_endian=True, edit=lambda data: data):
    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, Storage):
                return None
            return ("storage", torch.FloatStorage, item.key, "cpu", len(roots[item.key]), item.view)

    def pickled(item):
        buffer = io.BytesIO()
        Pickler(buffer, 2).dump(item)
        return edit(buffer.getvalue())

    sizes = {"short": 2, "int": 4, "long": 8}
    machine = {"protocol_version": 1001, "little_endian": little_endian, "type_sizes": sizes}
    data = b"".join(pickled(item) for item in (MAGIC, 1001, machine, value, sorted(roots)))
    for key in sorted(roots):
        data += struct.pack(f"<q{len(roots[key])}f", len(roots[key]), *roots[key])
    return data


def as_python2(data):
    """The same pickle with byte strings, as Python 2 wrote them."""
    ops = [(op, arg, position) for op, arg, position in pickletools.genops(data)]
    ends = [position for _, _, position in ops[1:]] + [len(data)]
    made = b""
    for (op, arg, position), end in zip(ops, ends):
        text = arg.encode("latin1") if op.name == "BINUNICODE" else b""
        made += b"U" + bytes([len(text)]) + text if op.name == "BINUNICODE" else data[position:end]
    return made


def by_hand():
    """name → bytes, what torch.load makes of them."""
    roots = {"100": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "99": [7.0]}
    part = ("101", 2, 3)
    value = OrderedDict(
        all=Tensor(Storage("100"), 0, (2, 3), (3, 1)),
        part=Tensor(Storage("100", part), 1, (2,), (1,)),
        again=Tensor(Storage("100", part), 0, (3,), (1,)),
        one=Tensor(Storage("99"), 0, (1,), (1,)),
    )
    root = torch.arange(6.0)
    kept = OrderedDict(all=root.view(2, 3), part=root[3:5], again=root[2:5], one=torch.tensor([7.0]))
    made = {
        "legacy views.pt": stream(value, roots),
        "legacy python2.pt": stream(value, roots, edit=as_python2),
        "legacy big endian.pt": stream(value, roots, little_endian=False),
    }
    for name, data in made.items():
        loaded = torch.load(io.BytesIO(data), weights_only=True)
        assert all(torch.equal(loaded[key], tensor) for key, tensor in kept.items()), name
    return {name: (data, kept) for name, data in made.items()}
