"""Layers that pool, pad, resize and reshape, and containers, each after a linear layer of the last axis."""

import torch
from catalogue import add, floats, values
from layers_plain import layer
from torch import nn

POOLS = {1: (3, 12), 2: (3, 8, 12), 3: (2, 6, 8, 12)}


def shape_of(build, shape):
    with torch.no_grad():
        return tuple(build()(torch.zeros(1, *shape)).shape[1:])


def pool(name, build, axes):
    layer(name, build, POOLS[axes], shape_of(build, POOLS[axes]))


for n in (1, 2, 3):
    pool(f"maxpool{n}d", lambda n=n: getattr(nn, f"MaxPool{n}d")(2), n)
    pool(f"maxpool{n}d_all", lambda n=n: getattr(nn, f"MaxPool{n}d")(3, 2, 1, 2, ceil_mode=True), n)
    pool(f"avgpool{n}d", lambda n=n: getattr(nn, f"AvgPool{n}d")(2), n)
    pool(f"avgpool{n}d_all", lambda n=n: getattr(nn, f"AvgPool{n}d")(3, 2, 1, True, False), n)
    pool(f"adaptiveavgpool{n}d", lambda n=n: getattr(nn, f"AdaptiveAvgPool{n}d")(5), n)
    pool(f"adaptivemaxpool{n}d", lambda n=n: getattr(nn, f"AdaptiveMaxPool{n}d")(5), n)
    pool(f"lppool{n}d", lambda n=n: getattr(nn, f"LPPool{n}d")(2, 2), n)
    pool(f"zeropad{n}d", lambda n=n: getattr(nn, f"ZeroPad{n}d")(1), n)
    pool(f"constantpad{n}d", lambda n=n: getattr(nn, f"ConstantPad{n}d")(tuple(range(2 * n)), 0.5), n)
    pool(f"reflectionpad{n}d", lambda n=n: getattr(nn, f"ReflectionPad{n}d")(tuple(range(2 * n))), n)
    pool(f"replicationpad{n}d", lambda n=n: getattr(nn, f"ReplicationPad{n}d")(2), n)
    pool(f"circularpad{n}d", lambda n=n: getattr(nn, f"CircularPad{n}d")(1), n)
pool("maxpool2d_pairs", lambda: nn.MaxPool2d((3, 2), (2, 1), (1, 0)), 2)
pool("avgpool2d_divisor", lambda: nn.AvgPool2d((3, 2), (2, 1), (1, 0), divisor_override=2), 2)
pool("lppool2d_all", lambda: nn.LPPool2d(4, (2, 3), 2, True), 2)
pool("adaptiveavgpool2d_kept", lambda: nn.AdaptiveAvgPool2d((None, 4)), 2)
pool("adaptivemaxpool2d_kept", lambda: nn.AdaptiveMaxPool2d((4, None)), 2)
pool("zeropad2d_cut", lambda: nn.ZeroPad2d((-1, 2, 0, -2)), 2)
pool("upsample1d", lambda: nn.Upsample(scale_factor=2), 1)
pool("upsample1d_linear", lambda: nn.Upsample(size=20, mode="linear"), 1)
pool("upsample2d", lambda: nn.Upsample(scale_factor=(2, 1.5)), 2)
pool("upsample2d_size", lambda: nn.Upsample(size=(5, 20), mode="bilinear"), 2)
pool("upsample2d_bilinear", lambda: nn.Upsample(scale_factor=(2.0, 1.5), mode="bilinear", align_corners=True), 2)
pool("upsample2d_bicubic", lambda: nn.Upsample(scale_factor=2, mode="bicubic"), 2)
pool("upsample3d", lambda: nn.Upsample(size=(3, 4, 5)), 3)
pool("upsample3d_trilinear", lambda: nn.Upsample(scale_factor=2, mode="trilinear"), 3)
pool("unfold", lambda: nn.Unfold(3), 2)
pool("unfold_all", lambda: nn.Unfold((3, 2), (1, 2), (1, 0), 2), 2)
layer("fold", lambda: nn.Fold((8, 12), 3, padding=1), (18, 96), (2, 8, 12))
layer("pixelshuffle", lambda: nn.PixelShuffle(2), (8, 3, 6), (2, 6, 12))
layer("pixelunshuffle", lambda: nn.PixelUnshuffle(2), (2, 4, 6), (8, 2, 3))
layer("channelshuffle", lambda: nn.ChannelShuffle(2), (4, 3, 6))
layer("flatten", nn.Flatten, (4, 3, 6), (72,))
layer("flatten_axes", lambda: nn.Flatten(1, 2), (4, 3, 6), (12, 6))
layer("unflatten", lambda: nn.Unflatten(1, (2, -1)), (4, 3, 6), (2, 2, 3, 6))
layer("identity", nn.Identity)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.down = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return torch.relu(self.bn(self.conv(x)) + self.down(x))


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x):
        return self.fc(x) + x


class Concatenate(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.near, self.wide = nn.Conv2d(3, 4, 1), nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())

    def forward(self, x):
        return torch.cat([self.near(x), self.wide(x)], self.dim)


add("layer_residual", lambda: nn.Sequential(Residual()), "layers", inputs=floats(3, 5, 6), target=values(4, 5, 6), loss="mse")
add("layer_residual_plain", lambda: nn.Sequential(Plain()), "layers", inputs=floats(6), target=values(6), loss="mse")
for name, dim, result in (("concatenate", 1, (8, 5, 6)), ("concatenate_rows", 2, (4, 10, 6))):
    build = lambda dim=dim: nn.Sequential(Concatenate(dim))
    add(f"layer_{name}", build, "layers", inputs=floats(3, 5, 6), target=values(*result), loss="mse")
