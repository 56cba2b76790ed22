"""What OnlineLearner does to a model without replay, in plain PyTorch: each batch is scored, by the model as it was loaded or as
it is then, and learned. Prints the loss of every update, then how many samples were predicted rightly.

    python online.py --images images.u8 --labels labels.u8 --init init.pth --out out.pth --batch-size 16 --seed 3
"""

import argparse
import copy
import sys
import types

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

sys.modules["torchvision._meta_registrations"] = types.ModuleType("torchvision._meta_registrations")
import torchvision.transforms as T  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--images", required=True, help="uint8 [n, 3, 32, 32]")
parser.add_argument("--labels", required=True, help="uint8 [n]")
parser.add_argument("--init", required=True, help="state dict to begin with")
parser.add_argument("--out", required=True)
parser.add_argument("--batch-size", type=int, required=True)
parser.add_argument("--seed", type=int, required=True)
parser.add_argument("--clip", type=float, help="largest norm of the gradients")
parser.add_argument("--live", action="store_true", help="score by the model as it is then, or by its average")
parser.add_argument("--adamw", action="store_true", help="AdamW with a group of its own for fc")
parser.add_argument("--ema", type=float, help="decay of an average, which is what is saved")
args = parser.parse_args()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, stride=1, padding=1)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=3, stride=1, padding=1)
        self.fc = nn.Linear(32 * 32 * 32, 10)

    def forward(self, x):
        x = self.conv2(self.conv1(x))
        return self.fc(x.view(x.size(0), -1))


normalize = [T.ToTensor(), T.Normalize([0.5] * 3, [0.5] * 3)]
learning = T.Compose([T.RandomHorizontalFlip(), T.RandomVerticalFlip(), T.RandomRotation(10), *normalize])
scoring = T.Compose(normalize)
labels = torch.from_numpy(np.fromfile(args.labels, np.uint8)).long()
images = [Image.fromarray(image.transpose(1, 2, 0)) for image in np.fromfile(args.images, np.uint8).reshape(-1, 3, 32, 32)]

model = Net()
model.load_state_dict(torch.load(args.init))
served = copy.deepcopy(model).eval()
optimizer = torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)
if args.adamw:
    rest = [parameter for name, parameter in model.named_parameters() if not name.startswith("fc")]
    groups = [{"params": rest}, {"params": model.fc.parameters(), "lr": 0.01, "weight_decay": 0.1}]
    optimizer = torch.optim.AdamW(groups, lr=0.002)
average = model
if args.ema is not None:
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(args.ema))


def scores(inputs):
    if not args.live:
        return served(inputs)
    average.eval()
    # Before the first update there is nothing to average: AveragedModel holds the weights that it was made with.
    logits = average(inputs)
    average.train()
    return logits


torch.manual_seed(args.seed)
correct = 0
for first in range(0, len(images), args.batch_size):
    batch, target = images[first : first + args.batch_size], labels[first : first + args.batch_size]
    with torch.no_grad():
        correct += (scores(torch.stack([scoring(image) for image in batch])).argmax(1) == target).sum().item()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(torch.stack([learning(image) for image in batch])), target)
    loss.backward()
    if args.clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
    optimizer.step()
    if args.ema is not None:
        average.update_parameters(model)
    print(repr(loss.item()))
print(correct)
torch.save((average.module if args.ema is not None else model).state_dict(), args.out)
