"""What torchvision and DataLoader make of a list of cases: reads them as JSON, writes one sha256 a batch.

Called by test/unit/batches.test.mjs, and by test/golden/renew.mjs for the golden values of test/golden/batches.json.
Needs torch, torchvision, numpy, pillow. A case: { images: [count, channels, height, width], or folder and limit of a
binary CIFAR-10; transforms, batchSize, shuffle, dropLast, epochs, seed, workers }.
"""

import hashlib
import json
import pathlib
import sys
import types

# torchvision's compiled operators may not load beside this torch; its transforms are pure Python.
sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms as T

MAKERS = {
    "randomHorizontalFlip": lambda t: T.RandomHorizontalFlip(t["p"]),
    "randomVerticalFlip": lambda t: T.RandomVerticalFlip(t["p"]),
    "randomRotation": lambda t: T.RandomRotation(t["degrees"]),
    "randomCrop": lambda t: T.RandomCrop(t["size"], padding=t["padding"]),
    "centerCrop": lambda t: T.CenterCrop(t["size"]),
    "toTensor": lambda t: T.ToTensor(),
    "normalize": lambda t: T.Normalize(t["mean"], t["std"]),
}


def synthetic(shape):
    """The images of synthetic() in test/unit/data-support.mjs: bytes that depend on their position only."""
    x = np.arange(np.prod(shape), dtype=np.uint64) * 2654435761 % 2**32
    x = (x ^ (x >> 15)) * 2246822519 % 2**32
    images = (x >> 24).astype(np.uint8).reshape(shape)
    return images, np.arange(shape[0]) % 10


def cifar10(folder, limit):
    files = sorted(pathlib.Path(folder).glob("data_batch_*.bin"))
    records = np.concatenate([np.fromfile(f, np.uint8).reshape(-1, 3073) for f in files])[:limit]
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)


class Images(Dataset):
    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images.transpose(0, 2, 3, 1), labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        image = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
        return self.transform(image), int(self.labels[index])


def run(case):
    images, labels = synthetic(case["images"]) if "images" in case else cifar10(case["folder"], case["limit"])
    transform = T.Compose([MAKERS[t["kind"]](t) for t in case["transforms"]])
    loader = DataLoader(
        Images(images, labels, transform),
        batch_size=case["batchSize"],
        shuffle=case["shuffle"],
        drop_last=case["dropLast"],
        num_workers=case.get("workers", 0),
    )
    torch.manual_seed(case["seed"])
    hashes = []
    for _ in range(case["epochs"]):
        for inputs, targets in loader:
            digest = hashlib.sha256(inputs.contiguous().numpy().astype("<f4").tobytes())
            digest.update(targets.numpy().astype("<i4").tobytes())
            hashes.append(digest.hexdigest()[:16])
    return hashes


torch.set_num_threads(1)
print(json.dumps([run(case) for case in json.load(sys.stdin)]))
