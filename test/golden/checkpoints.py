"""Makes the checkpoints that the tests of states read, and checkpoints.json, which says what is in them.

    python checkpoints.py make [FOLDER]     writes them (default: checkpoints/ beside this file)
    python checkpoints.py net FILE          writes a new Net, initialised after torch.manual_seed(3)
    python checkpoints.py check FOLDER      loads every .pth of FOLDER in each way that PyTorch has, as strictly as it can

Made with torch 2.13.0 and Python 3.11: strings that are one object in another Python may be two in this one, and then
the pickles differ.
"""
import hashlib
import io
import json
import pathlib
import pickle
import sys
from collections import OrderedDict

import torch
from torch import nn

DTYPES = (
    "float64 float32 float16 bfloat16 int8 int16 int32 int64 uint8 bool complex64 complex128 uint16 uint32 uint64 "
    "float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu"
).split()


class Sharing(nn.Module):
    """Tied weights, views with offset and stride, an expanded tensor, empty tensors, one without dimensions."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 4)
        self.out = nn.Linear(4, 5, bias=False)
        self.out.weight = self.embedding.weight
        whole = torch.arange(60.0).view(6, 10)
        self.register_buffer("part", whole[2:5, 1:9:2])
        self.register_buffer("turned", whole.t())
        self.register_buffer("expanded", torch.ones(1).expand(3, 4))
        self.register_buffer("empty", torch.zeros(0, 3))
        self.register_buffer("empty_too", torch.zeros(0))
        self.register_buffer("scalar", torch.tensor(7))


def batch_norm():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    model(torch.randn(2, 3, 4, 4))
    return model.state_dict()


def every_dtype():
    bits = torch.arange(48, dtype=torch.uint8)

    def tensor(name):
        if name == "bool":
            return torch.tensor([True, False, True])
        dtype = getattr(torch, name)
        return bits[: 3 * dtype.itemsize].clone().view(dtype)

    return OrderedDict((name, tensor(name)) for name in DTYPES)


def odd_names():
    names = ["__proto__", "constructor", "", "größe", "a b", "10", "2", "toString", "x" * 300]
    return OrderedDict((name, torch.tensor([float(i)])) for i, name in enumerate(names))


def assigned():
    """load_state_dict(assign=True) leaves a boolean in the _metadata of what it was given."""
    state = nn.Linear(3, 2).state_dict()
    nn.Linear(3, 2).load_state_dict(state, assign=True)
    return state


def write_records(path, state, byteorder):
    """As PyTorch before 2.1 wrote (byteorder None), and as a big-endian machine writes."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    reader = torch._C.PyTorchFileReader(io.BytesIO(buffer.getvalue()))
    writer = torch._C.PyTorchFileWriter(str(path))
    keys = [name for name in reader.get_all_records() if name.startswith("data/")]
    widths = {f"data/{i}": tensor.itemsize // (1 + tensor.is_complex()) for i, tensor in enumerate(state.values())}
    for name in ["data.pkl", *keys]:
        record = reader.get_record(name)
        if name in keys and byteorder == "big":
            width = widths[name]
            record = b"".join(record[i : i + width][::-1] for i in range(0, len(record), width))
        writer.write_record(name, record, len(record))
    if byteorder:
        writer.write_record("byteorder", byteorder, len(byteorder))
    writer.write_end_of_file()


def make(folder):
    folder.mkdir(exist_ok=True)
    torch.manual_seed(0)
    states = {
        "batch.norm.pth": batch_norm(),
        "sharing.pth": Sharing().state_dict(),
        "dtypes.pth": every_dtype(),
        "names.pth": odd_names(),
        "assigned.pth": assigned(),
        "none.pth": nn.ReLU().state_dict(),
        "no_ending": nn.Linear(2, 1).state_dict(),
    }
    for name, state in states.items():
        torch.save(state, folder / name)
    parameters = dict(nn.Linear(3, 2).named_parameters())
    parameters["buffer"] = nn.Buffer(torch.ones(2))
    parameters["marked"] = torch.zeros(2)
    parameters["marked"].note = "an attribute"
    torch.save(parameters, folder / "parameters.pth")
    states["parameters.pth"] = parameters
    for protocol in (3, 4, 5):
        name = f"protocol{protocol}.pth"
        states[name] = nn.Linear(2, 2).state_dict()
        torch.save(states[name], folder / name, pickle_protocol=protocol)
    torch.serialization.set_crc32_options(False)
    states["unchecked.pth"] = nn.Linear(2, 2).state_dict()
    torch.save(states["unchecked.pth"], folder / "unchecked.pth")
    torch.serialization.set_crc32_options(True)
    some = ("float32", "int64", "bfloat16", "complex64", "bool")
    numbers = OrderedDict((name, every_dtype()[name]) for name in some)
    for name, byteorder in (("big_endian.pth", "big"), ("old.pth", None)):
        states[name] = numbers
        write_records(folder / name, numbers, byteorder)
    facts = {name: describe(state) for name, state in states.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts.items()]
    (folder / "checkpoints.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def describe(state):
    storages = {}
    tensors = []
    for name, tensor in state.items():
        tensor = tensor.detach()
        whole = tensor.contiguous().view(torch.uint8) if tensor.dim() else tensor.reshape(1).view(torch.uint8)
        values = bytes(whole.flatten().tolist())
        tensors.append(
            {
                "name": name,
                "dtype": str(tensor.dtype).removeprefix("torch."),
                "shape": list(tensor.shape),
                "sha256": hashlib.sha256(values).hexdigest()[:16],
                "storage": storages.setdefault(tensor.untyped_storage()._cdata, len(storages)),
            }
        )
    metadata = getattr(state, "_metadata", None)
    modules = None if metadata is None else [[path, list(facts.items())] for path, facts in metadata.items()]
    return {"tensors": tensors, "metadata": modules}


def check(folder):
    for path in sorted(folder.iterdir()):
        if path.name == "checkpoints.json":
            continue
        strict = torch.load(path, weights_only=True)
        assert type(strict) is (dict if path.name == "parameters.pth" else OrderedDict)
        mapped = torch.load(path, weights_only=True, mmap=True) if path.name.isascii() else strict
        meta = torch.load(path, weights_only=True, map_location="meta")
        loose = torch.load(path, weights_only=False)
        for name, tensor in strict.items():
            for other in (mapped[name], loose[name]):
                assert tensor.dtype == other.dtype and tensor.shape == other.shape and tensor.stride() == other.stride()
                assert pickle.dumps(tensor.tolist()) == pickle.dumps(other.tolist()) or "float" in str(tensor.dtype)
            assert meta[name].shape == tensor.shape
        description = json.dumps({path.name: describe(strict)})
        if path.name == "batch.norm.pth":
            model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
            model.load_state_dict(strict, strict=True)
        if path.name == "sharing.pth":
            assert strict["embedding.weight"].data_ptr() == strict["out.weight"].data_ptr()
            Sharing().load_state_dict(strict, strict=True, assign=True)  # an expanded tensor cannot be copied to
        print(description)


def net(file):
    torch.manual_seed(3)
    model = nn.Module()
    model.conv1 = nn.Conv2d(3, 16, 3, padding=1)
    model.conv2 = nn.Conv2d(16, 32, 3, padding=1)
    model.fc = nn.Linear(32 * 32 * 32, 10)
    torch.save(model.state_dict(), file)


if __name__ == "__main__":
    command, *rest = sys.argv[1:]
    default = pathlib.Path(__file__).parent / "checkpoints"
    {"make": make, "net": net, "check": check}[command](pathlib.Path(rest[0]) if rest else default)
