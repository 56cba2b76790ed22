"""Prints the result of torch.load(weights_only=True) for files, whose paths are lines of standard input.

Prints for each file a line of JSON: the dicts in it that hold nothing but tensors, or why none exists. They are
loaded in a process with bounded memory and time, and in another one after each file that ends it: some crash torch.
"""
import ctypes
import hashlib
import json
import os
import resource
import signal
import sys

import torch

MOST_BYTES = 2**26
MOST_MEMORY = 2**32
SECONDS = 5


def describe(tensor):
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise ValueError("a tensor of a kind that no state holds")
    tensor = tensor.detach().resolve_conj().resolve_neg()
    size = tensor.numel() * tensor.element_size()
    facts = {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape)}
    if size <= MOST_BYTES:
        tensor = tensor.contiguous()
        values = ctypes.string_at(tensor.data_ptr(), size) if size else b""
        facts["sha256"] = hashlib.sha256(values).hexdigest()
    return facts


def states(value, path=(), depth=0):
    """The dicts of named tensors in a value, with their keys."""
    if not isinstance(value, dict) or depth > 3:
        return
    named = all(isinstance(key, str) and isinstance(item, torch.Tensor) for key, item in value.items())
    if named and (value or not path):
        yield {"path": path, "tensors": [{"name": key, **describe(item)} for key, item in value.items()]}
    for key, item in value.items():
        if isinstance(key, str):
            yield from states(item, (*path, key), depth + 1)


def load(path):
    value = torch.load(path, map_location="cpu", weights_only=True)
    return {"root": type(value).__name__, "states": list(states(value))}


def work(paths, output):
    """Answers the paths until the process ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(output, "w") as pipe:
        for path in paths:
            signal.alarm(SECONDS)  # not handled, so it ends the process
            try:
                answer = load(path)
            except BaseException as error:  # any error is an answer
                answer = {"error": f"{type(error).__name__}: {str(error)[:300]}"}
            pipe.write(json.dumps(answer) + "\n")
            pipe.flush()
    os._exit(0)


def answers(paths):
    """One answer per path. A process that ends early was ended by the current file; another one continues after it."""
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
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    wanted = sys.stdin.read().splitlines()
    for path, answer in zip(wanted, answers(wanted)):
        print(json.dumps({"file": path, **answer}), flush=True)
