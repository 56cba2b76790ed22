"""Only loads: an epoch of augmented batches for each line that comes in, by DataLoader from PIL images or as tensors.

    yes '' | head -3 | python loader.py --data DIR --workers 2
"""

import argparse
import json
import sys
import time

import torch

import data

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--samples", type=int)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--tensors", action="store_true", help="whole batches as tensors, as tuned.py does")
args = parser.parse_args()

images, labels = data.read(args.data, samples=args.samples)
loader = data.pil_loader(images, labels, args.batch_size, args.workers)
pixels = torch.from_numpy(images.copy())


def epoch():
    if not args.tensors:
        yield from loader
        return
    order = torch.randperm(len(pixels))
    for start in range(0, len(pixels), args.batch_size):
        yield data.augmented(pixels[order[start : start + args.batch_size]])


for _ in sys.stdin:
    started = time.perf_counter()
    for batch in epoch():
        pass
    print(json.dumps({"samples": len(labels), "seconds": time.perf_counter() - started}), flush=True)
