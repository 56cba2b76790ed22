"""One epoch of SGD over a model's samples, as people write it, and the bits of what comes of it."""

import hashlib
import struct

import torch
import torch.nn.functional as F
from catalogue import SEED, Model
from torch import nn
from torch.utils.data import DataLoader, Dataset

OPTIMIZER = {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4}
TRAINING_SEED = SEED + 1

LOSSES = {
    "cross_entropy": F.cross_entropy,
    "mse": F.mse_loss,
    # The layout of language models: output [samples, positions, vocabulary], target [samples, positions].
    "tokens": lambda output, target: F.cross_entropy(output.flatten(0, 1), target.flatten()),
}


def make_model(model: Model) -> nn.Module:
    """The module in the mode in which it is built, which is training, but for layers that were frozen on purpose."""
    torch.manual_seed(SEED)
    return model.build()


class Samples(Dataset):
    """The samples of a model, one by one."""

    def __init__(self, model: Model):
        inputs, target = model.samples()
        self.inputs = {name: torch.from_numpy(array) for name, array in inputs.items()}
        self.target = torch.from_numpy(target)

    def __len__(self):
        return len(self.target)

    def __getitem__(self, index):
        return {name: array[index] for name, array in self.inputs.items()}, self.target[index]


def batches(model: Model) -> DataLoader:
    """Batches in the samples' order. A loader draws a seed from torch's generator when an epoch begins."""

    def collate(samples):
        inputs = {}
        for name in samples[0][0]:
            batch = torch.stack([sample[name] for sample, _ in samples], dim=model.axis_of(name))
            inputs[name] = batch.double() if model.double else batch
        return inputs, torch.stack([target for _, target in samples])

    return DataLoader(Samples(model), batch_size=model.batch, shuffle=False, collate_fn=collate)


def first_batch(model: Model) -> dict[str, torch.Tensor]:
    inputs, _ = next(iter(batches(model)))
    return inputs


def call(model: Model, net, inputs):
    """What the module, or an exported program in its place, returns."""
    return net(**inputs) if model.keywords else net(*inputs.values())


def output_of(model: Model, returned) -> torch.Tensor:
    """The output that is trained. Some models return a tuple while training and a tensor while evaluating."""
    if model.output is None or isinstance(returned, torch.Tensor):
        return returned
    return returned[model.output]


def train(model: Model, net: nn.Module):
    """The losses of each step, and the optimizer."""
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], **OPTIMIZER)
    losses = []
    torch.manual_seed(TRAINING_SEED)
    for inputs, target in batches(model):
        optimizer.zero_grad()
        loss = LOSSES[model.loss](output_of(model, call(model, net, inputs)), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, optimizer


def evaluate(model: Model, net: nn.Module) -> torch.Tensor:
    """The output of the first batch while evaluating."""
    return evaluated(model, net.eval())


@torch.no_grad()
def evaluated(model: Model, net) -> torch.Tensor:
    """The output of a module or a program that evaluates, as float32: Node has no other outputs.

    Without gradients nn.TransformerEncoderLayer and nn.MultiheadAttention would take a path that no export has.
    """
    torch.manual_seed(TRAINING_SEED + 1)
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        return output_of(model, call(model, net, first_batch(model))).float()
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def raw(tensor: torch.Tensor) -> bytes:
    """The values, row by row."""
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(raw(tensor)).hexdigest()


def float32_bits(number: float) -> str:
    return struct.pack(">f", number).hex()


def dtype_of(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def ties_of(tensors) -> list[list[str]]:
    """Names in a dict that mean the same tensor, where there are several."""
    names = {}
    for name, tensor in tensors.items():
        names.setdefault((tensor.data_ptr(), tensor.shape, tensor.stride()), []).append(name)
    return [group for (_, shape, _), group in names.items() if len(group) > 1 and shape.numel() > 0]
