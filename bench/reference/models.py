"""The models of the trials in PyTorch, with the names that bench/models.mjs has."""

from torch import nn


class Net(nn.Module):
    """The reference script's."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc = nn.Linear(32 * 32 * 32, 10)

    def forward(self, x):
        return self.fc(self.conv2(self.conv1(x)).flatten(1))


def convolution(old, new, stride=1):
    return nn.Conv2d(old, new, 3, stride=stride, padding=1, bias=False)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = convolution(3, 32), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = convolution(32, 64), nn.BatchNorm2d(64)
        self.conv3, self.bn3 = convolution(64, 128), nn.BatchNorm2d(128)
        self.fc = nn.Linear(128 * 8 * 8, 10)
        self.relu, self.pool = nn.ReLU(), nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(self.relu(self.bn1(self.conv1(x))))
        x = self.pool(self.relu(self.bn2(self.conv2(x))))
        x = self.relu(self.bn3(self.conv3(x)))
        return self.fc(x.flatten(1))


class Block(nn.Module):
    def __init__(self, old, new, stride):
        super().__init__()
        self.conv1, self.bn1 = convolution(old, new, stride), nn.BatchNorm2d(new)
        self.conv2, self.bn2 = convolution(new, new), nn.BatchNorm2d(new)
        self.relu = nn.ReLU()
        self.shrinks = stride > 1
        if self.shrinks:
            self.down, self.downbn = nn.Conv2d(old, new, 1, stride=stride, bias=False), nn.BatchNorm2d(new)

    def forward(self, x):
        main = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        return main + (self.downbn(self.down(x)) if self.shrinks else x)


class Resnet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = convolution(3, 16), nn.BatchNorm2d(16)
        self.relu = nn.ReLU()
        self.blocks = []
        width = 16
        for stage, new in enumerate([16, 32, 64, 128]):
            for block in range(2):
                name = f"block{stage}{block}"
                self.add_module(name, Block(width, new, 2 if stage > 0 and block == 0 else 1))
                self.blocks.append(name)
                width = new
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, 10)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        for name in self.blocks:
            x = self.relu(getattr(self, name)(x))
        return self.fc(self.pool(x).flatten(1))


models = {"net": Net, "cnn": Cnn, "resnet": Resnet}
