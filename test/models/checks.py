"""Compares what Node wrote of a trained model with what PyTorch made of it."""

import json
import pathlib

import numpy as np
import torch
import training
from catalogue import MODELS
from torch.export.pt2_archive._package import load_pt2


def read_expected(folder: str) -> dict:
    return json.loads((pathlib.Path(folder) / "expected.json").read_text())


def read_values(folder: str, facts: dict) -> torch.Tensor:
    """An array that export.py, or Node, wrote as raw values."""
    values = np.fromfile(pathlib.Path(folder) / facts["file"], np.uint8)
    return torch.from_numpy(values).view(getattr(torch, facts["dtype"])).reshape(facts["shape"])


def same_bits(left: torch.Tensor, right: torch.Tensor) -> bool:
    return left.dtype == right.dtype and left.shape == right.shape and training.raw(left) == training.raw(right)


def differing(expected: dict, tensors) -> list[str]:
    """Names of tensors that are not the trained ones."""
    known = {each["name"]: each for each in expected["state"]}
    wrong = [name for name in tensors if name not in known]
    for name, facts in known.items():
        is_equal = name in tensors and training.digest(tensors[name]) == facts["sha256"]
        if not is_equal or training.dtype_of(tensors[name]) != facts["dtype"] or list(tensors[name].shape) != facts["shape"]:
            wrong.append(name)
    return wrong


def check_state(model: str, folder: str, file: str, checkpoint: str | None = None) -> dict:
    """A .pth: order of names, bits, ties, load_state_dict(strict=True), and the outputs that follow; the optimizer of a checkpoint.

    The answer holds what is wrong, and is empty where nothing is.
    """
    expected, known = read_expected(folder), MODELS[model]
    state = torch.load(file, weights_only=True)
    wrong = []
    if list(state) != [each["name"] for each in expected["state"]]:
        wrong.append("the order of names in the saved file")
    wrong += [f"{name} in the saved file" for name in differing(expected, state)]
    if training.ties_of(state) != expected["ties"]:
        wrong.append(f"ties in the saved file, {training.ties_of(state)}")
    net = training.make_model(known)
    net.load_state_dict(state, strict=True)
    if expected["eval"] and not same_bits(training.evaluate(known, net), read_values(folder, expected["eval"])):
        wrong.append("outputs of the saved file in Python")
    if checkpoint:
        wrong += [f"momentum of the parameter {i}" for i in differing_momentum(expected, checkpoint)]
    return {"wrong": wrong}


def differing_momentum(expected: dict, checkpoint: str) -> list[int]:
    """Places of parameters, among those that are trained, with another velocity than PyTorch's, or with one that it does not have."""
    state = torch.load(checkpoint, weights_only=True)["optimizer"]["state"]
    found = [state.get(i, {}).get("momentum_buffer") for i in range(len(expected["momentum"]))]
    digests = [None if velocity is None else training.digest(velocity) for velocity in found]
    return [i for i, (ours, theirs) in enumerate(zip(digests, expected["momentum"])) if ours != theirs]


def check_program(model: str, folder: str, file: str) -> dict:
    """A .pt2: its programs have the trained tensors, and run as the trained model does.

    Outputs while training are compared with those of the module for the same draws; outputs of a program for evaluation, and of one that
    is the same in both modes, with those after the training, which are Node's too.
    """
    known, expected = MODELS[model], read_expected(folder)
    programs = load_pt2(file).exported_programs
    program = programs.get("train") or torch.export.load(file)
    net = training.make_model(known)
    state = net.state_dict()  # with the versions of its modules, which an exported program does not have
    state.update(program.state_dict)
    net.load_state_dict(state, strict=True)
    wrong = [f"{name} in the saved program" for each in programs.values() for name in differing(expected, each.state_dict)]
    ours, theirs = (run_in_training(known, each) for each in (program.module(), net))
    if not same_bits(ours, theirs):
        wrong.append("outputs of the saved program while training")
    if expected["eval"]:
        evaluated = read_values(folder, expected["eval"])
        if same_bits(theirs, evaluated) and not same_bits(ours, evaluated):
            wrong.append("outputs of the saved program")
        if "eval" in programs and not same_bits(training.evaluated(known, programs["eval"].module()), evaluated):
            wrong.append("outputs of the saved program for evaluation")
    return {"wrong": wrong}


@torch.no_grad()
def run_in_training(model, net) -> torch.Tensor:
    torch.manual_seed(training.TRAINING_SEED)
    return training.output_of(model, training.call(model, net, training.first_batch(model))).float()
