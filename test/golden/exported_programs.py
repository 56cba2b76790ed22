"""Exports small models and describes them as PyTorch sees them, for exported-programs.test.mjs.

    python exported_programs.py FOLDER

Writes FOLDER/<name>.pt2 for each model, and with its tensors as torch 2.8 and 2.6 stored them <name>.pickled.pt2 and <name>.flat.pt2; and
both.pt2, a package of two programs. Prints one line of JSON for each model: {"name", "state": [[name, parameter?, facts]] in the order
of state_dict(), "constants": [[name, facts]], "ties": lists of names, "inputs": [[name, dtype, shape]], "outputs": [[path, dtype or
null]], "targets": those of the nodes, "ranges"}. Facts are dtype, shape, stride, offset, requires_grad and the SHA-256 of the values.
"""

import collections
import copy
import hashlib
import io
import json
import operator
import os
import sys
import warnings
import zipfile

import torch
import torch.nn as nn
from torch.export import Dim, export
from torch.export.pt2_archive._package import package_pt2
from torch.utils import _pytree

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
MODELS = {}
Pair = collections.namedtuple("Pair", ["left", "right"])
_pytree._register_namedtuple(Pair, serialized_type_name="models.Pair")


def model(*args, **kwargs):
    def add(make):
        MODELS[make.__name__] = (make, args, kwargs)
        return make

    return add


class Net(nn.Module):
    """Modules and tensors by name, and a forward of (self, *inputs)."""

    def __init__(self, forward, **parts):
        super().__init__()
        self.run = forward
        for name, part in parts.items():
            if isinstance(part, torch.Tensor) and not isinstance(part, nn.Parameter):
                self.register_buffer(name, part)
            else:
                setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


class Two(Net):
    def forward(self, x, mask, scale=2.0):
        return self.run(self, x, mask, scale)


@model(torch.randn(4, 20))
def mlp():
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 10))


@model(torch.randn(4, 1, 12, 12))
def cnn():
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(0.2))
    return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))


@model(torch.randn(4, 9, 6))
def lstm():
    rnn, fc = nn.LSTM(6, 16, batch_first=True), nn.Linear(16, 10)
    return Net(lambda s, x: s.fc(s.rnn(x)[0][:, -1]), rnn=rnn, fc=fc)


@model(torch.randn(4, 64))
def tied_autoencoder():
    net = Net(lambda s, x: s.dec(torch.relu(s.enc(x))), enc=nn.Linear(64, 64), dec=nn.Linear(64, 64))
    net.dec.weight = net.enc.weight
    return net


@model(torch.randint(0, 50, (4, 10)))
def transformer_encoder():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    parts = {"emb": nn.Embedding(50, 32), "enc": nn.TransformerEncoder(layer, 2), "fc": nn.Linear(32, 10)}
    return Net(lambda s, x: s.fc(s.enc(s.emb(x)).mean(1)), **parts)


@model(torch.randint(0, 50, (4, 12)))
def non_persistent_buffer():
    def forward(s, x):
        return s.fc((s.emb(x) + s.table[: x.shape[1]] * s.scale).mean(1)) + torch.tensor([0.5])

    net = Net(forward, emb=nn.Embedding(50, 16), fc=nn.Linear(16, 10))
    net.register_buffer("table", torch.randn(32, 16), persistent=False)
    net.scale = torch.tensor(0.5)
    return net


@model(torch.randn(4, 8))
def no_grad_block():
    def forward(s, x):
        with torch.no_grad():
            y = s.body(x)
        return s.fc(y)

    body = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16))
    return Net(forward, body=body, fc=nn.Linear(16, 10))


@model(torch.randn(4, 8))
def autocast_block():
    def forward(s, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = torch.relu(s.a(x))
        return s.fc(y.float())

    return Net(forward, a=nn.Linear(8, 16), fc=nn.Linear(16, 10))


@model(torch.randn(4, 8))
def condition():
    def forward(s, x):
        return s.fc(torch.cond(x.sum() > 0, lambda x: s.a(x), lambda x: s.b(x), (x,)))

    return Net(forward, a=nn.Linear(8, 16), b=nn.Linear(8, 16), fc=nn.Linear(16, 10))


@model(torch.randn(4, 8))
def dict_output():
    def forward(s, x):
        h = torch.tanh(s.a(x))
        return {"logits": s.fc(h), "hidden": h, "aux": [h.mean(), None, 3], "pair": Pair(h, (h,))}

    return Net(forward, a=nn.Linear(8, 16), fc=nn.Linear(16, 10))


@model(torch.randn(4, 5, 6))
def graph_conv():
    def forward(s, x):
        h = s.a(x)
        left, right = torch.relu(torch.zeros_like(h).index_add(1, s.edges[1], h[:, s.edges[0]])).chunk(2, -1)
        return (left.reshape(x.shape[0] * 5, 4) - right.reshape(-1, 4)).view(x.shape[0], 20)

    return Net(forward, a=nn.Linear(6, 8), edges=torch.tensor([[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 0, 2]]))


@model(torch.randn(4, 8), mask=torch.ones(4, dtype=torch.bool), scale=3.0)
def keywords():
    return Two(lambda s, x, mask, scale: s.fc(x * scale).masked_fill(mask[:, None], float("-inf")), fc=nn.Linear(8, 10))


@model(torch.randn(4, 3, 8, 8))
def layouts():
    def forward(s, x):
        y = s.conv(x).mean((2, 3)) @ s.across + s.part
        return y.float() * s.wide * s.ones + s.empty.sum() + s.small.float().sum() + s.flags.float().sum()

    big = torch.randn(100)
    net = Net(forward, conv=nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last))
    net.across = nn.Parameter(torch.randn(10, 4).t(), requires_grad=False)
    net.part = nn.Parameter(big[10:20])
    net.small = nn.Parameter(torch.randn(3).bfloat16())
    net.register_buffer("wide", torch.randn(1, 1).expand(1, 10))
    net.register_buffer("ones", torch.ones((), dtype=torch.int64))
    net.register_buffer("empty", torch.zeros(0, 3))
    net.register_buffer("flags", torch.tensor([True, False]))
    return net


def facts(t):
    raw = t.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes() if t.numel() > 0 else b""
    dtype = str(t.dtype).split(".")[1]
    digest = hashlib.sha256(raw).hexdigest()
    return [dtype, list(t.shape), list(t.stride()), t.storage_offset(), t.requires_grad, digest]


def ties(named):
    groups = collections.defaultdict(list)
    for name, t in named:
        place = (t.untyped_storage().data_ptr(), t.storage_offset(), tuple(t.shape), t.stride()) if t.numel() > 0 else name
        groups[place].append(name)
    return list(groups.values())


def size(s):
    return s if isinstance(s, int) else str(s)


def step(key):
    return getattr(key, "key", getattr(key, "idx", getattr(key, "name", None)))


def target(node):
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target)
    if isinstance(node.target, torch._ops.HigherOrderOperator):
        return node.target.__name__
    return node.target.__module__ + "." + node.target.__name__


def described(name, net, args, kwargs, program):
    state = net.state_dict(keep_vars=True)
    values = {n.name: n.meta["val"] for n in program.graph.nodes if n.op == "placeholder"}
    fake = [values.get(n, n) for n in program.graph_signature.user_inputs]
    names = ["x", *kwargs]
    outputs = _pytree.tree_flatten_with_path(copy.deepcopy(net)(*args, **kwargs))[0]
    others = {k: v for k, v in program.constants.items() if isinstance(v, torch.Tensor)}
    calls = [n for n in program.graph.nodes if n.op == "call_function" and n.target is not operator.getitem]
    return {
        "name": name,
        "state": [[k, isinstance(v, nn.Parameter), facts(v)] for k, v in state.items()],
        "constants": [[k, facts(v)] for k, v in others.items()],
        "ties": ties(state.items()),
        "inputs": [
            [n, str(v.dtype).split(".")[1], [size(s) for s in v.shape]] if isinstance(v, torch.Tensor) else [n, None, v]
            for n, v in zip(names, fake)
        ],
        "outputs": [
            [[step(k) for k in path], str(v.dtype).split(".")[1] if isinstance(v, torch.Tensor) else None]
            for path, v in outputs
        ],
        "targets": [target(n) for n in calls],
        "ranges": [[str(k), int(v.lower), int(v.upper)] for k, v in program.range_constraints.items()],
    }


def saved(value):
    buffer = io.BytesIO()
    torch.save(dict(value), buffer)
    return buffer.getvalue()


def older(folder, name, program):
    """Writes the archive again, as torch 2.8 and torch 2.6 did."""
    with zipfile.ZipFile(os.path.join(folder, name + ".pt2")) as archive:
        root = archive.namelist()[0].split("/")[0]
        kept = [n for n in archive.namelist() if "/data/weights/" not in n and "/data/constants/" not in n]
        content = {n: archive.read(n) for n in kept}
    weights, constants = saved(program.state_dict), saved(program.constants)
    with zipfile.ZipFile(os.path.join(folder, name + ".pickled.pt2"), "w") as out:
        for path, data in content.items():
            out.writestr(path, data)
        out.writestr(root + "/data/weights/model.pt", weights)
        out.writestr(root + "/data/constants/model.pt", constants)
    with zipfile.ZipFile(os.path.join(folder, name + ".flat.pt2"), "w") as out:
        program_json = json.loads(content[root + "/models/model.json"])
        program_json["schema_version"] = {"major": 8, "minor": 2}
        program_json["graph_module"]["module_call_graph"][0]["signature"].pop("forward_arg_names")
        out.writestr("serialized_exported_program.json", json.dumps(program_json))
        out.writestr("serialized_state_dict.pt", weights)
        out.writestr("serialized_constants.pt", constants)
        out.writestr("serialized_example_inputs.pt", b"nothing reads this")
        out.writestr("version", "8.2")


def exported(net, args, kwargs):
    batch = {0: Dim("batch", min=2, max=4096)}
    shapes = {"x": batch, **{k: batch if isinstance(v, torch.Tensor) else None for k, v in kwargs.items()}}
    dynamic = tuple(shapes.values()) if isinstance(net, nn.Sequential) else shapes
    return export(net, args, kwargs, dynamic_shapes=dynamic, strict=False)


def main(folder):
    programs = {}
    for name, (make, args, kwargs) in MODELS.items():
        torch.manual_seed(0)
        net = make().train()
        program = exported(net, args, kwargs)
        torch.export.save(program, os.path.join(folder, name + ".pt2"))
        older(folder, name, program)
        programs[name] = program
        print(json.dumps(described(name, net, args, kwargs, program)), flush=True)
    package_pt2(os.path.join(folder, "both.pt2"), exported_programs={"train": programs["cnn"], "eval": programs["mlp"]})


if __name__ == "__main__":
    main(sys.argv[1])
