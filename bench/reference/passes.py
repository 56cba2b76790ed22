"""What the passes of the reference script's step cost by themselves, in the memory layouts that a step can keep: for floor.mjs.

Answers each line of standard input with a line of JSON: milliseconds of each pass, the least of some tries.
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--data", help="not read; every reference gets it")
parser.add_argument("--tries", type=int, default=15)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(options.threads)
torch.manual_seed(0)
n = options.batch_size
backward = torch.ops.aten.convolution_backward
geometry = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1)


def least(work):
    for _ in range(3):
        work()
    times = []
    for _ in range(options.tries):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times) * 1e3


def passes(convert):
    """`convert`: images or filters into the layout and type that is measured."""
    x, h1, h2 = (convert(torch.randn(n, c, 32, 32)) for c in (3, 16, 32))
    w1, w2 = convert(torch.randn(16, 3, 3, 3)), convert(torch.randn(32, 16, 3, 3))
    dtype = torch.float32 if h2.is_mkldnn else h2.dtype
    b1, b2, w3 = torch.randn(16, dtype=dtype), torch.randn(32, dtype=dtype), torch.randn(10, 32768, dtype=dtype)
    rows, slopes = torch.randn(n, 32768, dtype=dtype), torch.randn(n, 10, dtype=dtype)
    works = {
        "conv1 forward": lambda: F.conv2d(x, w1, b1, padding=1),
        "conv2 forward": lambda: F.conv2d(h1, w2, b2, padding=1),
        "fc forward": lambda: rows @ w3.t(),
        "fc to its input": lambda: slopes @ w3,
        "fc to its weight": lambda: slopes.t() @ rows,
        "conv2 to its input": lambda: backward(h2, h1, w2, [32], *geometry, [True, False, False]),
        "conv2 to its weight": lambda: backward(h2, h1, w2, [32], *geometry, [False, True, True]),
        "conv1 to its weight": lambda: backward(h1, x, w1, [16], *geometry, [False, True, True]),
    }
    with torch.no_grad():
        return {name: least(work) for name, work in works.items()}


layouts = {
    "exact": lambda tensor: tensor.to_mkldnn() if tensor.shape[-1] == 32 else tensor,
    "bf16": lambda tensor: tensor.to(torch.bfloat16, memory_format=torch.channels_last),
}
for _ in sys.stdin:
    print(json.dumps({name: passes(convert) for name, convert in layouts.items()}), flush=True)
