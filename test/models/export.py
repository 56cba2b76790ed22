"""Writes a model's exported program, its samples, and what PyTorch makes of training it, into a folder.

    model.pt2       the program while training, before the first step; both.pt2, where one program is not enough: two of them,
                    named train and eval
    *.bin           the samples of each input and the target, [samples, ...], and the output of the first batch while evaluating,
                    as raw values
    trained.pth     the state_dict() after the last step, if asked for
    expected.json   all that the two languages are compared by; "archive" is the file that Node trains
"""

import inspect
import json
import pathlib

import torch
import training
from catalogue import MODELS, Model
from torch.export import Dim, ExportedProgram
from torch.export.pt2_archive._package import package_pt2

# Ways to export, the best first: any batch from 2, any batch that the program allows, and this batch alone.
WAYS = ("dynamic", "auto", "static")


class NotExported(Exception):
    """torch.export refused a model in every way."""

    def __init__(self, failures: dict[str, str]):
        ways = {}
        for way, failure in failures.items():
            ways.setdefault(failure, []).append(way)
        super().__init__("; ".join(f"{', '.join(names)}: {failure}" for failure, names in ways.items()))


def shapes_of(model: Model, way: str, inputs):
    if way == "static":
        return None
    size = Dim("batch", min=2, max=4096) if way == "dynamic" else Dim.AUTO
    shapes = {name: {model.axis_of(name): size} for name in inputs}
    return shapes if model.keywords else tuple(shapes.values())


def export_program(model: Model, net) -> tuple[ExportedProgram, str]:
    """The program and the way in which it was exported."""
    inputs = training.first_batch(model)
    args, kwargs = ((), inputs) if model.keywords else (tuple(inputs.values()), {})
    failures = {}
    for way in WAYS:
        try:
            shapes = shapes_of(model, way, inputs)
            return torch.export.export(net, args, kwargs, dynamic_shapes=shapes, strict=False), way
        except Exception as error:  # every kind is of interest
            failures[way] = f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    raise NotExported(failures)


def write_values(folder: pathlib.Path, file: str, tensor: torch.Tensor) -> dict:
    (folder / file).write_bytes(training.raw(tensor))
    return {"file": file, "dtype": training.dtype_of(tensor), "shape": list(tensor.shape)}


def input_names(model: Model, net, names) -> dict[str, str]:
    """The names that the program has for the model's inputs: those of forward()'s arguments."""
    if model.keywords:
        return {name: name for name in names}
    return dict(zip(names, inspect.signature(net.forward).parameters))


def write_samples(folder: pathlib.Path, model: Model, net) -> dict:
    samples = training.Samples(model)
    names = input_names(model, net, samples.inputs)
    inputs = [
        {"name": names[name], "axis": model.axis_of(name), **write_values(folder, f"input-{i}.bin", array)}
        for i, (name, array) in enumerate(samples.inputs.items())
    ]
    kind = "values" if samples.target.is_floating_point() else "class" if samples.target.dim() == 1 else "tokens"
    return {"inputs": inputs, "target": {"kind": kind, **write_values(folder, "target.bin", samples.target)}}


def state_of(net) -> list[dict]:
    """The tensors of state_dict(), in its order."""
    parameters = dict(net.named_parameters(remove_duplicate=False))
    return [
        {
            "name": name,
            "dtype": training.dtype_of(tensor),
            "shape": list(tensor.shape),
            "parameter": name in parameters,
            "trained": name in parameters and parameters[name].requires_grad,
            "sha256": training.digest(tensor),
        }
        for name, tensor in net.state_dict().items()
    ]


def momentum_of(optimizer) -> list[str | None]:
    """The velocity of each trained parameter in order, or null where none of its steps had a gradient."""
    state = optimizer.state
    found = [state[each].get("momentum_buffer") for group in optimizer.param_groups for each in group["params"]]
    return [None if velocity is None else training.digest(velocity) for velocity in found]


def export_model(name: str, folder: str, keep: bool = False) -> dict:
    """Fills the folder and returns what expected.json holds."""
    model, at = MODELS[name], pathlib.Path(folder)
    at.mkdir(parents=True, exist_ok=True)
    program, way = export_program(model, training.make_model(model))
    torch.export.save(program, at / "model.pt2")
    if model.needs_eval:
        evaluating, _ = export_program(model, training.make_model(model).eval())
        package_pt2(str(at / "both.pt2"), exported_programs={"train": program, "eval": evaluating})
    archive = "both.pt2" if model.needs_eval else "model.pt2"
    return train_model(name, folder, keep, {"way": way, "archive": archive})


def train_model(name: str, folder: str, keep: bool = False, facts: dict | None = None) -> dict:
    """The same without an archive."""
    model, at = MODELS[name], pathlib.Path(folder)
    at.mkdir(parents=True, exist_ok=True)
    # A new one: tracing may leave its own tensors in a module.
    net = training.make_model(model)
    before = state_of(net)
    losses, optimizer = training.train(model, net)
    if keep:
        torch.save(net.state_dict(), at / "trained.pth")
    expected = {
        "model": name,
        "group": model.group,
        "torch": torch.__version__,
        **(facts or {}),
        "loss": model.loss,
        "output": model.output,
        "batchSize": model.batch,
        "seed": training.TRAINING_SEED,
        "optimizer": training.OPTIMIZER,
        **write_samples(at, model, net),
        "losses": losses,
        "lossBits": [training.float32_bits(loss) for loss in losses],
        "before": {each["name"]: each["sha256"] for each in before},
        "state": state_of(net),
        "ties": training.ties_of(net.state_dict()),
        "momentum": momentum_of(optimizer),
        "eval": None,
    }
    if not model.draws:
        output = training.evaluate(model, net)
        expected["eval"] = {**write_values(at, "eval.bin", output), "sha256": training.digest(output)}
    (at / "expected.json").write_text(json.dumps(expected, indent=1))
    return expected
