"""A small residual network with batch norm, pooling and dropout, made, trained and saved by PyTorch: what
torch-incremental's layers must equal bit for bit. Prints the loss of every step.

    python cnn_job.py --images images.u8 --labels labels.u8 --init init.pth --out trained.pth --seed 3
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
parser.add_argument("--init", required=True, help="where the untrained state goes")
parser.add_argument("--out", required=True, help="where the trained state goes")
parser.add_argument("--logits", required=True, help="where the logits in eval mode go, float32")
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--batch-size", type=int, default=16)
parser.add_argument("--lr", type=float, default=0.05)
parser.add_argument("--momentum", type=float, default=0.9)
parser.add_argument("--weight-decay", type=float, default=0.0)
parser.add_argument("--nesterov", action="store_true")
args = parser.parse_args()


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(8, 16, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(16, 16, 3, padding=1, groups=2)
        self.bn2 = nn.BatchNorm2d(16, eps=1e-4, momentum=0.2)
        self.downsample = nn.Conv2d(8, 16, 1, stride=2)

    def forward(self, x):
        main = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return main + self.downsample(x)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, (3, 5), padding=(1, 2))
        self.bn = nn.BatchNorm2d(8)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.block = Block()
        self.mean = nn.AvgPool2d(2, padding=1)
        self.squeeze = nn.AdaptiveAvgPool2d(3)
        self.flatten = nn.Flatten()
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(16 * 9, 10, bias=False)

    def forward(self, x):
        x = self.block(self.pool(self.relu(self.bn(self.conv(x)))))
        return self.fc(self.drop(self.flatten(self.squeeze(self.mean(x)))))


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


to_input = [transforms.ToTensor(), transforms.Normalize(mean=[0.4, 0.5, 0.6], std=[0.2, 0.25, 0.3])]
augment = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()]

torch.manual_seed(args.seed)
model = Cnn()
torch.save(model.state_dict(), args.init)

loader = torch.utils.data.DataLoader(
    Images(transforms.Compose(augment + to_input)), batch_size=args.batch_size, shuffle=True
)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(
    model.parameters(),
    lr=args.lr,
    momentum=args.momentum,
    weight_decay=args.weight_decay,
    nesterov=args.nesterov,
)
torch.manual_seed(args.seed)
for epoch in range(args.epochs):
    for images, labels in loader:
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(repr(loss.item()))
torch.save(model.state_dict(), args.out)

model.eval()
with torch.no_grad():
    batches = torch.utils.data.DataLoader(Images(transforms.Compose(to_input)), batch_size=args.batch_size)
    logits = torch.cat([model(images) for images, _ in batches])
logits.numpy().tofile(args.logits)
