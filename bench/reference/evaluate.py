"""Evaluates once for each line that comes in: images through PIL's loader, as tensors, or only predicts their logits.

    yes '' | head -3 | python evaluate.py --data DIR --checkpoint net.pth --how tensors
"""

import argparse
import json
import sys
import time

import torch
import torch.nn.functional as F

import data
import models

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True)
parser.add_argument("--checkpoint", required=True)
parser.add_argument("--model", choices=models.models, default="net")
parser.add_argument("--samples", type=int)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--how", choices=["pil", "tensors", "predict"], required=True)
args = parser.parse_args()

images, numbers = data.read(args.data, samples=args.samples)
pixels, labels = torch.from_numpy(images.copy()), torch.from_numpy(numbers)
model = models.models[args.model]()
model.load_state_dict(torch.load(args.checkpoint))
model.eval()


def batches():
    if args.how == "pil":
        yield from data.pil_loader(images, numbers, args.batch_size, training=False)
        return
    for start in range(0, len(pixels), args.batch_size):
        end = start + args.batch_size
        yield pixels[start:end].float().mul_(1 / 127.5).sub_(1), labels[start:end]


for _ in sys.stdin:
    started = time.perf_counter()
    with torch.inference_mode():
        if args.how == "predict":
            torch.cat([model(inputs) for inputs, _ in batches()]).argmax(1)
        else:
            loss, correct = 0.0, 0
            for inputs, actual in batches():
                logits = model(inputs)
                loss += F.cross_entropy(logits, actual, reduction="sum").item()
                correct += (logits.argmax(1) == actual).sum().item()
    print(json.dumps({"samples": len(labels), "seconds": time.perf_counter() - started}), flush=True)
