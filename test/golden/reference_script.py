"""The job that torch-incremental reproduces bit for bit: fine-tune Net on CIFAR-10 and save its state dict.

Written as people write it. Around it only what a comparison needs: the data, sizes and seed are arguments, and the
binary layout of CIFAR-10 is read by a class of ours, since torchvision reads the pickled layout of the whole set only.

    python reference_script.py --data DIR --checkpoint pretrained_model.pth --out updated_model.pth --seed 0
"""

import argparse
import glob
import json
import os
import sys
import time
import types

started = time.perf_counter()

import numpy as np
import torch
from PIL import Image

# torchvision's compiled operators do not load beside a CPU build of torch; the transforms are plain Python.
sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
import torchvision.transforms as transforms  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--data", required=True, help="folder that holds cifar-10-batches-bin")
parser.add_argument("--checkpoint", required=True)
parser.add_argument("--out")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--batch-size", type=int, default=64)
parser.add_argument("--samples", type=int, help="use only the first so many")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--log-every", type=int, default=100)
parser.add_argument("--workers", type=int, default=0)
parser.add_argument("--device", default="cpu")
parser.add_argument("--steps", type=int, help="stop after so many, for timing")
parser.add_argument("--evaluate", action="store_true", help="print the accuracy on the test images at the end")
parser.add_argument("--times", help="write a JSON file with the seconds to the first step and of every later one")
args = parser.parse_args()


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 16, 3, stride=1, padding=1)
        self.conv2 = torch.nn.Conv2d(16, 32, 3, stride=1, padding=1)
        self.fc = torch.nn.Linear(32 * 32 * 32, 10)

    def forward(self, x):
        x = self.conv1(x)
        x = self.conv2(x)
        x = x.view(x.size(0), -1)
        return self.fc(x)


class Cifar10(torch.utils.data.Dataset):
    def __init__(self, root, pattern, transform, samples=None):
        files = sorted(glob.glob(os.path.join(root, "cifar-10-batches-bin", pattern)))
        records = np.concatenate([np.fromfile(file, dtype=np.uint8).reshape(-1, 3073) for file in files])[:samples]
        self.targets = [int(label) for label in records[:, 0]]
        self.data = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


normalize = transforms.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])
transform = transforms.Compose(
    [
        transforms.RandomHorizontalFlip(),
        transforms.RandomVerticalFlip(),
        transforms.RandomRotation(10),
        transforms.ToTensor(),
        normalize,
    ]
)

train_set = Cifar10(args.data, "data_batch_*.bin", transform, args.samples)
train_loader = torch.utils.data.DataLoader(
    train_set, batch_size=args.batch_size, shuffle=True, num_workers=args.workers
)

model = Net()
model.load_state_dict(torch.load(args.checkpoint))
new_model = Net().to(args.device)
new_model.load_state_dict(model.state_dict())

criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(new_model.parameters(), lr=0.001, momentum=0.9)

times = {"firstStep": None, "steps": []}
done = 0
torch.manual_seed(args.seed)
for epoch in range(args.epochs):
    last = time.perf_counter()
    for i, (images, labels) in enumerate(train_loader):
        images, labels = images.to(args.device), labels.to(args.device)
        outputs = new_model(images)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (i + 1) % args.log_every == 0:
            print(
                f"Epoch [{epoch + 1}/{args.epochs}], Step [{i + 1}/{len(train_loader)}], Loss: {loss.item():.4f}",
                flush=True,
            )
        now = time.perf_counter()
        if times["firstStep"] is None:
            times["firstStep"] = now - started
        times["steps"].append(now - last)
        last = now
        done += 1
        if done == args.steps:
            break
    if done == args.steps:
        break

if args.out:
    torch.save(new_model.state_dict(), args.out)

if args.evaluate:
    test_set = Cifar10(args.data, "test_batch.bin", transforms.Compose([transforms.ToTensor(), normalize]))
    new_model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in torch.utils.data.DataLoader(test_set, batch_size=args.batch_size):
            correct += (new_model(images.to(args.device)).argmax(1).cpu() == labels).sum().item()
    print(f"accuracy {correct / len(test_set)!r}", file=sys.stderr)

if args.times:
    with open(args.times, "w") as file:
        json.dump(times, file)
