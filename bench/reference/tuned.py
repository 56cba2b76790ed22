"""The same training as a good user of PyTorch would speed it up, and plainer variants of it, for the trials.

    python tuned.py --model cnn --data DIR --checkpoint cnn.pth --samples 8320 --epochs 3

Prints a line of JSON for each epoch; with --turns, trains an epoch for each line that comes in. Tuned is: the images as one
tensor in memory, augmented a batch at a time, channels_last, torch.compile, the fused SGD, no loss.item() between log
points. Each can be taken away again.
"""

import argparse
import json
import resource
import sys
import time

import torch
import torch.nn.functional as F

import data
import models

parser = argparse.ArgumentParser()
parser.add_argument("--model", choices=models.models, default="net")
parser.add_argument("--data", required=True, help="folder that holds cifar-10-batches-bin")
parser.add_argument("--checkpoint", required=True)
parser.add_argument("--samples", type=int, help="how many; default: as many as there are")
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--loader", choices=["tensors", "pil", "cached"], default="tensors",
                    help="batches augmented as tensors, by PIL, or not at all and the same in each epoch")
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--eager", action="store_true", help="without torch.compile, channels_last and the fused SGD")
parser.add_argument("--bf16", action="store_true", help="with autocast to bfloat16")
parser.add_argument("--log-every", type=int, default=100)
parser.add_argument("--turns", action="store_true", help="train an epoch for each line of standard input")
parser.add_argument("--times", action="store_true", help="print the seconds of each step, too")
args = parser.parse_args()
torch.manual_seed(0)


def batches():
    """One epoch's."""
    if args.loader == "pil":
        yield from pil
    elif args.loader == "cached":
        for start in range(0, len(labels), args.batch_size):
            yield ready[start : start + args.batch_size], labels[start : start + args.batch_size]
    else:
        order = torch.randperm(len(labels))
        for start in range(0, len(labels), args.batch_size):
            chosen = order[start : start + args.batch_size]
            images = data.augmented(pixels[chosen])
            yield (images if args.eager else images.contiguous(memory_format=torch.channels_last)), labels[chosen]


images, numbers = data.read(args.data, samples=args.samples)
if args.loader == "pil":
    pil = data.pil_loader(images, numbers, args.batch_size, args.workers)
pixels, labels = torch.from_numpy(images.copy()), torch.from_numpy(numbers)
if args.loader == "cached":
    ready = pixels.float().mul_(1 / 127.5).sub_(1)

model = models.models[args.model]()
model.load_state_dict(torch.load(args.checkpoint))
if not args.eager:
    model = model.to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, fused=not args.eager)


def forward(images, labels):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.bf16):
        return F.cross_entropy(model(images), labels)


compiled = not args.eager
loss_of = torch.compile(forward) if compiled else forward
if compiled:
    try:
        loss_of(*next(iter(batches()))).backward()
        optimizer.zero_grad()
    except Exception as error:  # whatever the compiler lacks, a user would go on without it
        print(f"torch.compile FAILED, going on without it: {error}", file=sys.stderr)
        compiled, loss_of = False, forward


def epoch():
    started = last = time.perf_counter()
    steps = []
    for step, (images, labels) in enumerate(batches()):
        loss = loss_of(images, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % args.log_every == 0:
            loss.item()
        if args.times:
            now = time.perf_counter()
            steps.append(now - last)
            last = now
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    figures = {"samples": len(numbers), "seconds": seconds, "loss": loss.item(), "peak": peak, "compiled": compiled,
               "threads": torch.get_num_threads()}
    print(json.dumps({**figures, "steps": steps} if args.times else figures), flush=True)


for _ in sys.stdin if args.turns else range(args.epochs):
    epoch()
