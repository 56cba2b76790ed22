"""Steps of torch.optim over weights of several dtypes, for optimizer-dtypes.long.test.mjs.

    python optimizer_dtypes.py < jobs.json

A job: {"optimizer": its class, "options": its arguments, "dtype", "steps", "shapes"}. Weights and gradients are drawn as in
test/native/optimizer_dtypes.cc. Prints for each job a list of [name, dtype, bytes in hexadecimal]: of each parameter, and of its slots
in their order.
"""

import json
import sys

import torch
from optimizer_steps import options_of


def shown(name, tensor):
    values = tensor.detach().contiguous().reshape(-1)
    return [name, str(tensor.dtype).removeprefix("torch."), values.view(torch.uint8).numpy().tobytes().hex()]


def answer(job):
    torch.manual_seed(0)
    dtype = getattr(torch, job["dtype"])
    parameters = [torch.randn(shape).to(dtype).requires_grad_(True) for shape in job["shapes"]]
    optimizer = getattr(torch.optim, job["optimizer"])(parameters, **options_of(job["options"]))
    for _ in range(job["steps"]):
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape).to(dtype)
        optimizer.step()
    tensors = []
    for number, parameter in enumerate(parameters):
        tensors.append(shown(str(number), parameter))
        slots = optimizer.state[parameter]
        tensors += [shown(f"{number}.{name}", slot) for name, slot in slots.items() if slot is not None]
    return tensors


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps([answer(job) for job in json.load(sys.stdin)]))
