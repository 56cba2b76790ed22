"""Exports the models of exported_programs.py with other weights beside them, and checks what saved-programs.test.mjs makes of both.

    python saved_programs.py export FOLDER
    python saved_programs.py check FOLDER

export: writes FOLDER/<name>.pt2, <name>.pickled.pt2 and <name>.flat.pt2, the new weights as <name>.pth, and as <name>.outputs arguments and what
the program computes of them with the new weights; a package of two programs, both.pt2; and turned.pt2, in which two parameters share memory
but get values that do not agree. Prints the names.
check: loads FOLDER/saved/<file> for each of them, and FOLDER/saved/<name>.trained.pt2, which computes the "logits" of FOLDER/<name>.trained.pth
of its "x". Prints a line of JSON for each: {"file", "problems"}.
"""

import copy
import io
import json
import os
import sys
import warnings
import zipfile

import torch
import torch.nn as nn
from exported_programs import MODELS, Net, exported, older
from torch.export.pt2_archive._package import PT2ArchiveReader, load_pt2, package_pt2
from torch.utils import _pytree

warnings.filterwarnings("ignore")
torch.set_num_threads(1)


def renew(net):
    """Other values in every tensor of the state, in place: what is shared or expanded stays so."""
    for name, t in net.state_dict().items():
        part = t
        for axis in range(t.dim()):
            if t.size(axis) > 1 and t.stride(axis) == 0:
                part = part.narrow(axis, 0, 1)
        if t.dtype == torch.bool:
            part.logical_not_()
        elif t.is_floating_point():
            part.copy_(torch.rand(part.shape) + 0.1)
        elif part.dim() == 0:
            part.add_(3)
        else:
            part.copy_(part.flip(0))


def outputs(module, args, kwargs):
    torch.manual_seed(7)
    return _pytree.tree_leaves(module(*copy.deepcopy(args), **copy.deepcopy(kwargs)))


def turned():
    net = Net(lambda s, x: x @ s.weight + torch.relu(x @ s.turned), weight=nn.Parameter(torch.randn(8, 8)))
    net.turned = nn.Parameter(net.weight.detach().t())
    return net


def write(folder):
    at = lambda name: os.path.join(folder, name)
    for name, (make, args, kwargs) in MODELS.items():
        torch.manual_seed(0)
        net = make().train()
        program = exported(net, args, kwargs)
        torch.export.save(program, at(name + ".pt2"), extra_files={"labels/größe.txt": "cat, Käse"})
        older(folder, name, program)
        renew(net)
        torch.save(net.state_dict(), at(name + ".pth"))
        torch.save((args, kwargs, outputs(program.module(), args, kwargs)), at(name + ".outputs"))
        print(name)
    make, args, kwargs = MODELS["cnn"]
    net = make()
    both = {"train": exported(net.train(), args, kwargs), "eval": exported(copy.deepcopy(net).eval(), args, kwargs)}
    package_pt2(at("both.pt2"), exported_programs=both)
    torch.export.save(exported(turned(), (torch.randn(4, 8),), {}), at("turned.pt2"))
    torch.save({"weight": torch.randn(8, 8), "turned": torch.randn(8, 8)}, at("turned.pth"))


def bits(t):
    return t.detach().contiguous().view(-1).view(torch.uint8).tolist() if t.numel() > 0 else []


def same(a, b):
    if not isinstance(a, torch.Tensor):
        return a == b
    return a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride() and bits(a) == bits(b)


def differing(kind, found, wanted):
    """Names whose values, strides or other facts differ."""
    facts = lambda t: (type(t), t.requires_grad, t.storage_offset(), t.untyped_storage().nbytes())
    if sorted(found) != sorted(wanted):
        return [f"{kind}: {sorted(found)} instead of {sorted(wanted)}"]
    return [f"{kind} {k}" for k, t in wanted.items() if not same(found[k], t) or facts(found[k]) != facts(t)]


def places(state):
    """Names by the memory that they share."""
    groups = {}
    for name, t in state.items():
        groups.setdefault(t.untyped_storage().data_ptr() if t.numel() > 0 else name, []).append(name)
    return sorted(groups.values())


def records(file):
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        root = names[0].split("/")[0] + "/" if "archive_format" in "".join(names) else ""
        return {n[len(root) :]: archive.read(n) for n in names}


def written_again(file, folder):
    """The same records, written by PyTorch."""
    path = os.path.join(folder, "again", os.path.basename(file))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    writer = torch._C.PyTorchFileWriter(path)
    writer.set_min_version(6)
    for name, data in records(file).items():
        if name not in (".data/version", "byteorder", ".data/serialization_id"):
            writer.write_record(name, data, len(data))
    writer.write_end_of_file()
    with open(path, "rb") as again:
        return again.read()


def problems(folder, file, name):
    at = lambda *parts: os.path.join(folder, *parts)
    source, saved = at(file), at("saved", file)
    before, after = records(source), records(saved)
    found = []
    kept = [n for n in before if n.startswith(("models/", "data/constants/", "data/weights/")) and n.endswith(".json")]
    kept += [n for n in before if n.startswith("data/constants/tensor_")]
    found += [f"record {n}" for n in kept if after.get(n) != before[n] and not (name == "turned" and "weights" in n)]
    if "serialized_exported_program.json" in before and after["models/model.json"] != before["serialized_exported_program.json"]:
        found.append("the program")
    found += [f"sample inputs {n}" for n in after if "sample_inputs" in n and after[n] != b""]
    with open(saved, "rb") as bytes_:
        if bytes_.read() != written_again(saved, folder):
            found.append("PyTorch writes the same records otherwise")
    PT2ArchiveReader(saved)
    weights = torch.load(at(name + ".pth"))
    if name == "both":
        return found + pair_problems(source, saved, weights)
    extra = {"labels/größe.txt": None}
    program, original = torch.export.load(saved, extra_files=extra), torch.export.load(at(name + ".pt2"))
    added = {n[6:]: data.decode() for n, data in before.items() if n.startswith("extra/")}
    if added and extra != added:
        found.append(f"extra files {extra}")
    if program.example_inputs is not None:
        found.append("example inputs")
    state = original.state_dict
    if name == "turned":
        state = {k: nn.Parameter(torch.empty_strided(t.shape, state[k].stride()).copy_(t)) for k, t in weights.items()}
        module = original.module()
        module.weight, module.turned = state["weight"], state["turned"]
        args, kwargs = (torch.randn(4, 8),), {}
        wanted = outputs(module, args, kwargs)
    else:
        args, kwargs, wanted = torch.load(at(name + ".outputs"))
        ties = places(program.state_dict)
        if ties != places(state):
            found.append(f"shared memory: {ties} instead of {places(state)}")
        for k, t in state.items():
            put(t, weights[k])
    found += differing("weight", program.state_dict, state)
    found += differing("constant", program.constants, original.constants)
    if not all(map(same, outputs(program.module(), args, kwargs), wanted)):
        found.append("outputs")
    return found


def put(to, values):
    for axis in range(to.dim()):
        if to.size(axis) > 1 and to.stride(axis) == 0:
            to, values = to.narrow(axis, 0, 1), values.narrow(axis, 0, 1)
    to.detach().copy_(values)


def pair_problems(source, saved, weights):
    found = []
    _, args, kwargs = MODELS["cnn"]
    originals, programs = (load_pt2(file).exported_programs for file in (source, saved))
    for name, program in programs.items():
        found += [f"weight {k} of {name}" for k, t in program.state_dict.items() if bits(t) != bits(weights[k])]
        module = originals[name].module()
        module.load_state_dict(weights)
        if not all(map(same, outputs(program.module(), args, kwargs), outputs(module, args, kwargs))):
            found.append(f"outputs of {name}")
    return found if sorted(programs) == ["eval", "train"] else [f"programs {sorted(programs)}"]


def trained_problems(folder, file):
    """Whether the program that evaluates computes what was predicted."""
    programs = load_pt2(os.path.join(folder, "saved", file)).exported_programs
    answers = torch.load(os.path.join(folder, file.replace(".pt2", ".pth")))
    module = programs["eval" if "eval" in programs else "model"].module()
    return [] if same(module(answers["x"]), answers["logits"]) else ["outputs"]


def check(folder):
    for file in sorted(os.listdir(os.path.join(folder, "saved"))):
        try:
            is_trained = file.endswith(".trained.pt2")
            answer = trained_problems(folder, file) if is_trained else problems(folder, file, file.split(".")[0])
        except Exception as error:
            answer = [f"{type(error).__name__}: {error}"]
        print(json.dumps({"file": file, "problems": answer}), flush=True)


{"export": write, "check": check}[sys.argv[1]](sys.argv[2])
