"""For each line of standard input: the median time of a step of an optimizer of torch.optim over the weights of ResNet-18, in
milliseconds.

    python optimizer_steps.py --optimizer AdamW --threads 2 [--fused]
"""

import argparse
import json
import sys
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("--data", help="is not read")
parser.add_argument("--optimizer", required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--fused", action="store_true")
args = parser.parse_args()
torch.set_num_threads(args.threads)

STEPS = 20
shapes = [[64, 3, 7, 7], [64], [64]]
inputs = 64
for outputs in (64, 128, 256, 512):
    for _ in range(2):
        shapes += [[outputs, inputs, 3, 3], [outputs], [outputs], [outputs, outputs, 3, 3], [outputs], [outputs]]
        if inputs != outputs:
            shapes += [[outputs, inputs, 1, 1], [outputs], [outputs]]
        inputs = outputs
shapes += [[1000, 512], [1000]]
parameters = [torch.randn(shape).requires_grad_() for shape in shapes]
gradients = [torch.randn(shape) for shape in shapes]
more = {"momentum": 0.9} if args.optimizer == "SGD" else {}
fused = {"fused": True} if args.fused else {}
optimizer = getattr(torch.optim, args.optimizer)(parameters, lr=1e-3, weight_decay=0.01, **more, **fused)


def step():
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    started = time.perf_counter()
    optimizer.step()
    return (time.perf_counter() - started) * 1000


for _ in sys.stdin:
    times = sorted(step() for _ in range(STEPS))
    print(json.dumps({"milliseconds": times[STEPS // 2]}), flush=True)
