"""Trains a small network with batch norm, dropout and augmentation in PyTorch, from the beginning or from a checkpoint,
up to a given step, and saves a checkpoint there as PyTorch's users do: what torch-incremental's `checkpoint` and `resume`
must fit bit for bit. Prints the loss of every step.

    python resume.py --images images.u8 --labels labels.u8 --start init.pth --stop 9 --out run.ckpt
"""

import argparse
import sys
import types

import numpy as np
import torch
import torch.nn as nn
from PIL import Image

sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
import torchvision.transforms as transforms  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--images", required=True, help="uint8 [n, 3, 32, 32]")
parser.add_argument("--labels", required=True, help="uint8 [n]")
parser.add_argument("--start", required=True, help="a state dict to begin with, or a checkpoint to resume from")
parser.add_argument("--stop", type=int, required=True, help="steps of the whole training after which to stop")
parser.add_argument("--out", required=True, help="where the checkpoint of that step goes")
parser.add_argument("--long-keys", action="store_true", help="model_state_dict and optimizer_state_dict")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seed", type=int, default=5)
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--average", help="where the average of all epochs' weights goes, with statistics of its own")
args = parser.parse_args()

model = nn.Sequential()
for name, layer in {
    "conv": nn.Conv2d(3, 4, 3, padding=1),
    "bn": nn.BatchNorm2d(4),
    "relu": nn.ReLU(),
    "pool": nn.MaxPool2d(4),
    "flatten": nn.Flatten(),
    "drop": nn.Dropout(0.3),
    "fc": nn.Linear(256, 10),
}.items():
    model.add_module(name, layer)


class Images(torch.utils.data.Dataset):
    def __init__(self, transform):
        self.labels = np.fromfile(args.labels, dtype=np.uint8)
        self.images = np.fromfile(args.images, dtype=np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = Image.fromarray(np.ascontiguousarray(self.images[index]))
        return self.transform(image), int(self.labels[index])


transform = transforms.Compose(
    [
        transforms.RandomCrop(32, padding=4),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ]
)
loader = torch.utils.data.DataLoader(Images(transform), batch_size=16, shuffle=True, num_workers=args.workers)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.8, weight_decay=0.01, nesterov=True)

start = torch.load(args.start, weights_only=True)
first_epoch = first_step = 0
torch.manual_seed(args.seed)
random = {"state": torch.get_rng_state(), "epoch": torch.get_rng_state()}
if "model" in start:
    model.load_state_dict(start["model"])
    fresh = optimizer.state_dict()
    optimizer.load_state_dict(start["optimizer"])
    # The same keys in the same order as PyTorch's own, down to the parameter group's.
    assert list(start["optimizer"]) == list(fresh)
    assert start["optimizer"]["param_groups"] == fresh["param_groups"]
    assert list(start["optimizer"]["param_groups"][0]) == list(fresh["param_groups"][0])
    assert start["model"]._metadata == model.state_dict()._metadata
    first_epoch, first_step, random = start["epoch"], start["step"], start["random"]
else:
    model.load_state_dict(start)


def save(epoch, step):
    names = ("model_state_dict", "optimizer_state_dict") if args.long_keys else ("model", "optimizer")
    states = dict(zip(names, (model.state_dict(), optimizer.state_dict()), strict=True))
    torch.save({**states, "epoch": epoch, "step": step, "random": random}, args.out)
    sys.exit()


steps = len(loader)
average = torch.optim.swa_utils.AveragedModel(model)
torch.set_rng_state(random["epoch"])
for epoch in range(first_epoch, args.epochs):
    random["epoch"] = torch.get_rng_state()
    batches = iter(loader)
    skipped = first_step if epoch == first_epoch else 0
    for _ in range(skipped):
        next(batches if args.workers > 0 else batches._sampler_iter)
    if skipped > 0:
        torch.set_rng_state(random["state"])
    for step in range(skipped, steps):
        images, labels = next(batches)
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        print(loss.item())
        random["state"] = torch.get_rng_state()
        if epoch * steps + step + 1 == args.stop and step + 1 < steps:
            save(epoch, step + 1)
    if args.average:
        average.update_parameters(model)
        if epoch + 1 == args.epochs:
            torch.optim.swa_utils.update_bn(loader, average)
            torch.save(average.module.state_dict(), args.average)
    if (epoch + 1) * steps == args.stop:
        random["epoch"] = torch.get_rng_state()
        save(epoch + 1, 0)
