"""Gives the reference answers of the fuzzers: the content of files as live Python reads it, in the form of answer.mjs.

    python.py seeds FOLDER    writes honest files by torch.save and the safetensors library
    python.py answer          says whether there is a safetensors library; then reads lists of paths from standard input,
                              JSON, a line each, and prints a list of answers for each

A file is read by torch.load(weights_only=True). What that refuses is read again by Python's own pickle, with names of unknown
classes replaced by inert ones: {"by": "pickle"}. Every list is read by a process of its own, with bounded memory and time:
some files crash torch.
"""
import collections
import ctypes
import hashlib
import json
import math
import os
import pickle
import resource
import signal
import struct
import sys
import warnings
import zipfile

import torch
from torch._weights_only_unpickler import _blocklisted_modules, _get_allowed_globals

try:
    import safetensors
except ImportError:
    safetensors = None

MOST_BYTES = 2**22
MOST_MEMORY = 2**32
MOST_NODES = 20_000
SECONDS = 5


class Unknown:
    """Replaces an object of a class that weights_only does not know."""

    def __new__(cls, *args, **options):
        return object.__new__(cls)

    def __init__(self, *args, **options):
        pass

    def __setstate__(self, state):
        pass

    def __reduce_ex__(self, protocol):
        raise pickle.PicklingError("inert")

    def append(self, item):
        pass

    def extend(self, items):
        pass

    def add(self, item):
        pass

    def __setitem__(self, key, value):
        pass


class Acting(Exception):
    """A name that runs code, in any file."""


ACTING = {*_blocklisted_modules, "subprocess", "importlib", "runpy", "shutil", "socket", "pickle", "_pickle"}
ACTING_NAMES = {"builtins.eval", "builtins.exec", "builtins.getattr", "builtins.__import__", "torch.load", "builtins.open"}


class Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        full = f"{module}.{name}"
        module, name = {
            ("__builtin__", name): ("builtins", name),
            ("copy_reg", name): ("copyreg", name),
        }.get((module, name), (module, name))
        full = f"{module}.{name}"
        if module.split(".")[0] in ACTING or full in ACTING_NAMES:
            raise Acting(full)
        allowed = _get_allowed_globals().get(full)
        if allowed is not None:
            return allowed
        if full in ("builtins.frozenset", "builtins.bytes", "builtins.dict", "builtins.list"):
            return getattr(__import__("builtins"), name)
        if full == "torch.nn.parameter.Buffer":
            return torch.nn.Buffer
        return type("Unknown", (Unknown,), {"full": full})


class Pickle:
    """A pickle_module for torch.load."""

    Unpickler = Unpickler
    __name__ = "pickle"

    @staticmethod
    def load(file, **options):
        return Unpickler(file, **options).load()


class TooLarge(Exception):
    pass


def number(value):
    """Integers and floats by their value: 1 and 1.0 are one number in JavaScript."""
    if isinstance(value, float):
        if math.isfinite(value) and value == int(value) and abs(value) < 2**53:
            return ["n", str(int(value))]
        return ["n", "nan" if math.isnan(value) else struct.pack(">d", value).hex()]
    return ["n", str(value)]


def tensor(value):
    if value.layout != torch.strided or value.is_quantized or value.is_meta or value.is_nested:
        return ["?", "a tensor of another kind"]
    value = value.detach().resolve_conj().resolve_neg()
    size = value.numel() * value.element_size()
    facts = ["T", str(value.dtype).removeprefix("torch."), list(value.shape)]
    if size > MOST_BYTES:
        return [*facts, "large"]
    value = value.contiguous()
    content = ctypes.string_at(value.data_ptr(), size) if size else b""
    return [*facts, hashlib.sha256(content).hexdigest()[:16]]


class Walker:
    def __init__(self):
        self.nodes = 0
        self.open = set()

    def walk(self, value):
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise TooLarge
        if value is None or isinstance(value, bool):
            return value
        kind = type(value)
        if kind is int or kind is float:
            return number(value)
        if kind is str:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if kind is bytes or kind is bytearray:
            return ["b", value.hex()]
        if isinstance(value, torch.Tensor):
            return tensor(value)
        if kind not in (list, tuple, dict, collections.OrderedDict, set, frozenset):
            return ["?", f"{kind.__module__}.{kind.__qualname__}"]
        if id(value) in self.open:
            raise TooLarge
        self.open.add(id(value))
        result = self.container(kind, value)
        self.open.discard(id(value))
        return result

    def container(self, kind, value):
        if kind is list:
            return ["l", *map(self.walk, value)]
        if kind is tuple:
            return ["t", *map(self.walk, value)]
        if kind in (set, frozenset):
            return ["s", *sorted(map(self.walk, value), key=json.dumps)]
        result = ["d" if kind is dict else "o", self.pairs(value)]
        if kind is collections.OrderedDict:
            result.append(self.pairs(value.__dict__))
        return result

    def pairs(self, value):
        return [[self.walk(key), self.walk(item)] for key, item in value.items()]


def tree(value):
    try:
        return {"tree": Walker().walk(value)}
    except (TooLarge, RecursionError):
        return {"large": True}


def zip_facts(path):
    """The names that zipfile sees, which scanners use, and whether it reads data.pkl as PyTorch does."""
    try:
        with zipfile.ZipFile(path) as file:
            names = file.namelist()
            found = [name for name in names if name.split("/", 1)[-1] == "data.pkl"]
            content = file.read(found[0]) if len(found) == 1 else None
            return {
                "names": sorted(name for name in names if not name.endswith("/")),
                "isSame": content is None or content == torch._C.PyTorchFileReader(path).get_record("data.pkl"),
            }
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}


def safetensors_answer(path):
    """Sorted by name: the order of the file has no meaning."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            strings = file.metadata()
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:400]}
    value = collections.OrderedDict(tensors)
    value.__dict__.update({"__metadata__": dict(sorted(strings.items()))} if strings is not None else {})
    return {"by": "safetensors", **tree(value)}


def answer(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        facts = {}
        with open(path, "rb") as file:
            if file.read(2) == b"PK":
                facts["zip"] = zip_facts(path)
        if path.endswith(".safetensors"):
            return safetensors_answer(path)
        try:
            return {**facts, "by": "weights_only", **tree(torch.load(path, map_location="cpu", weights_only=True))}
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"[:400]
        try:
            value = torch.load(path, map_location="cpu", weights_only=False, pickle_module=Pickle)
            return {**facts, "by": "pickle", "because": reason, **tree(value)}
        except Exception as error:
            return {**facts, "error": reason, "second": f"{type(error).__name__}: {error}"[:200]}


def work(paths, output):
    """Answers the paths until the process ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(output, "w") as pipe:
        for path in paths:
            signal.alarm(SECONDS)  # not handled, so it ends the process
            try:
                text = json.dumps(answer(path))
            except BaseException as error:  # any error is an answer
                text = json.dumps({"error": f"{type(error).__name__}: {str(error)[:300]}"})
            pipe.write(text + "\n")
            pipe.flush()
    os._exit(0)


def answers(paths):
    """Returns one answer per path. A process that ends early was ended by the current file; the next file gets a new one."""
    while paths:
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(reading)
            work(paths, writing)
        os.close(writing)
        done = 0
        with os.fdopen(reading) as pipe:
            for line in pipe:
                done += 1
                yield json.loads(line)
        _, status = os.waitpid(process, 0)
        if done < len(paths):
            yield {"error": f"the process ended with status {status}"}
        paths = paths[done + 1 :]


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.setrecursionlimit(3000)
    if sys.argv[1] == "seeds":
        import seeds

        seeds.write(sys.argv[2])
        sys.exit()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    print(json.dumps({"safetensors": safetensors is not None}), flush=True)
    for line in sys.stdin:
        print(json.dumps(list(answers(json.loads(line)))), flush=True)
