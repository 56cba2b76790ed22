"""CIFAR-10's binary files for the references: as a data set of PIL images, and as one tensor."""

import glob
import math
import os
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

# torchvision's compiled operators do not load beside a CPU build of torch; the transforms are plain Python.
sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
import torchvision.transforms as transforms  # noqa: E402

to_input = [transforms.ToTensor(), transforms.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])]
augment = [transforms.RandomHorizontalFlip(), transforms.RandomVerticalFlip(), transforms.RandomRotation(10)]


def read(root, pattern="data_batch_*.bin", samples=None):
    """uint8 images [sample, channel, row, column] and int64 labels; the files' images again where there are too few."""
    files = sorted(glob.glob(os.path.join(root, "cifar-10-batches-bin", pattern)))
    records = np.concatenate([np.fromfile(file, dtype=np.uint8).reshape(-1, 3073) for file in files])
    if samples:
        records = np.resize(records, (samples, 3073))
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


class Images(torch.utils.data.Dataset):
    """As people write it."""

    def __init__(self, images, labels, transform):
        self.images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
        self.labels = [int(label) for label in labels]
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def pil_loader(images, labels, batch_size, workers=0, training=True):
    transform = transforms.Compose(augment + to_input if training else to_input)
    return torch.utils.data.DataLoader(
        Images(images, labels, transform),
        batch_size=batch_size,
        shuffle=training,
        num_workers=workers,
        persistent_workers=workers > 0,
    )


def augmented(images):
    """The three random transforms, ToTensor and Normalize, of a uint8 batch at once: one affine_grid and one nearest
    grid_sample, flips and rotation in one matrix. The draws are others than the script's, and grid_sample rounds a few pixels
    of a hundred images otherwise than PIL: the same training in kind, not the same numbers.
    """
    n = len(images)
    angle = torch.empty(n).uniform_(-math.radians(10), math.radians(10))
    flip = torch.randint(0, 2, (2, n)).float() * 2 - 1
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(n)
    rows = [cos * flip[0], sin * flip[0], zero, -sin * flip[1], cos * flip[1], zero]
    grid = F.affine_grid(torch.stack(rows, 1).view(n, 2, 3), list(images.shape), align_corners=False)
    pixels = F.grid_sample(images.float(), grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return pixels.mul_(1 / 127.5).sub_(1)
