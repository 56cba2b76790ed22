"""Exports and trains models for another process, one after the other.

    python worker.py    reads a line of JSON for each thing to do, and answers each with one

{"do": "list"}                             the groups with their models, and why a group cannot be loaded
{"do": "export", "model", "folder"}        fills the folder (export.py) and answers with what its expected.json holds; with
                                           "keep": true it writes the trained state as well
{"do": "train", "model", "folder"}         the same without an archive
{"do": "describe", "model"}                the names, dtypes and shapes of its state_dict(), and its modules with their versions
{"do": "state", "model", "folder", "file", "checkpoint"}
                                           what is wrong with a .pth of the trained state, and with a checkpoint if there is one
{"do": "program", "model", "folder", "file"}
                                           what is wrong with a .pt2 of the trained model

An answer is {"ok": true, "seconds", "result"} or {"ok": false, "seconds", "error", "message"}. Importing torch costs seconds, a
small model a fraction of one: hence one process for many.
"""

import gc
import importlib
import json
import logging
import os
import sys
import time
import warnings

# Answers go to the standard output that the process began with; whatever else is printed goes to the standard error.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch

torch.set_num_threads(1)

import checks
import export
import training
from catalogue import MODELS

FILES = {
    "plain": ("plain_layers", "plain_sequences", "plain_programs", "plain_operators"),
    "torchvision": ("vision",),
    "transformers": ("language",),
    "timm": ("timm_models",),
}
# Models that Node makes of its own layers: they are trained, and not exported. No part of the list.
BUILT = {
    "layers": ("layers_own", "layers_plain", "layers_pooling", "layers_sequences", "layers_attention"),
    "zoo": ("zoo",),
}
loaded: dict[str, str | None] = {}


def load(group: str) -> str | None:
    """Adds the models of a group to the list; why it could not, else None."""
    if group not in loaded:
        try:
            for file in {**FILES, **BUILT}[group]:
                importlib.import_module(file)
            loaded[group] = None
        except ImportError as error:
            loaded[group] = str(error)
    return loaded[group]


def list_models(group: str | None = None) -> dict:
    groups = {}
    for name in [group] if group else FILES:
        missing = load(name)
        of_group = [each for each in MODELS.values() if each.group == name]
        groups[name] = {"missing": missing, "models": [each.name for each in of_group]}
    return groups


def find(model: str) -> None:
    """Loads groups until one has the model."""
    for group in [*BUILT, *FILES]:
        if model in MODELS:
            return
        load(group)
    if model not in MODELS:
        raise KeyError(f"no model named {model}")


def export_model(model: str, **options) -> dict:
    find(model)
    return export.export_model(model, **options)


def train_model(model: str, **options) -> dict:
    find(model)
    return export.train_model(model, **options)


def describe_model(model: str) -> dict:
    find(model)
    with torch.device("meta"):
        net = MODELS[model].build()
    state = net.state_dict()
    tensors = [[name, training.dtype_of(tensor), list(tensor.shape)] for name, tensor in state.items()]
    return {"tensors": tensors, "modules": [[path, facts["version"]] for path, facts in state._metadata.items()]}


def check_state(model: str, **options) -> dict:
    find(model)
    return checks.check_state(model, **options)


def check_program(model: str, **options) -> dict:
    find(model)
    return checks.check_program(model, **options)


ACTIONS = {"list": list_models, "export": export_model, "train": train_model, "describe": describe_model, "state": check_state, "program": check_program}


def answer(line: str) -> dict:
    begun = time.perf_counter()
    try:
        asked = json.loads(line)
        found = {"ok": True, "result": ACTIONS[asked.pop("do")](**asked)}
    except Exception as error:  # the next line may be sound
        found = {"ok": False, "error": type(error).__name__, "message": str(error)}
    finally:
        torch._dynamo.reset()
        gc.collect()
    return {**found, "seconds": round(time.perf_counter() - begun, 2)}


if __name__ == "__main__":
    for line in sys.stdin:
        answers.write(json.dumps(answer(line)) + "\n")
        answers.flush()
