"""Plain models of torch.nn: perceptrons, convolutions, norms and activations, most of them nn.Sequential."""

import torch
import torch.nn.functional as F
from catalogue import classes, floats, images, model, values
from torch import nn

TEN = classes(10)
SMALL_IMAGE = images(3, 16)


def after_small_convolution() -> nn.Module:
    """The classifier of a 3 x 3 convolution with 8 channels over 16 x 16 pixels."""
    return nn.Linear(8 * 14 * 14, 10)


@model(inputs=floats(20), target=TEN)
def mlp():
    return nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 10))


@model(inputs=floats(20), target=TEN)
def mlp_dropout():
    first = [nn.Linear(20, 64), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    second = [nn.Linear(64, 64), nn.BatchNorm1d(64), nn.GELU(), nn.AlphaDropout(0.1)]
    return nn.Sequential(*first, *second, nn.Linear(64, 10))


@model(inputs=images(1, 28), target=TEN)
def cnn():
    first = [nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout2d(0.2)]
    second = [nn.Conv2d(8, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*first, *second, nn.Linear(16, 10))


@model(inputs=floats(8), target=values(1), loss="mse")
def regressor():
    return nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))


@model(inputs=floats(16), target=TEN)
def activations():
    smooth = [nn.LeakyReLU(0.1), nn.ELU(), nn.SELU(), nn.PReLU(16), nn.Hardswish(), nn.SiLU(), nn.Mish(), nn.Softplus()]
    layers = [part for activation in smooth for part in (nn.Linear(16, 16), activation)]
    layers += [nn.Linear(16, 16), nn.GLU(), nn.Linear(8, 16), nn.RReLU(), nn.Linear(16, 16), nn.CELU()]
    layers += [nn.Linear(16, 16), nn.ReLU6(), nn.Linear(16, 16), nn.Hardsigmoid(), nn.Linear(16, 16), nn.Threshold(0.1, 0.0)]
    return nn.Sequential(*layers, nn.Softsign(), nn.LogSigmoid(), nn.Hardtanh(), nn.Linear(16, 10))


@model(inputs=floats(1, 800), target=TEN)
def conv1d_audio():
    first = [nn.Conv1d(1, 8, 80, stride=4), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(4)]
    second = [nn.Conv1d(8, 16, 3), nn.BatchNorm1d(16), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    return nn.Sequential(*first, *second, nn.Linear(16, 10))


@model(inputs=floats(4, 64), target=TEN)
def tcn():
    layers = []
    for channels, dilation in ((4, 1), (8, 2), (8, 4)):
        convolution = nn.utils.parametrizations.weight_norm(nn.Conv1d(channels, 8, 3, dilation=dilation))
        layers += [nn.ConstantPad1d((2 * dilation, 0), 0.0), convolution, nn.ReLU(), nn.Dropout1d(0.1)]
    return nn.Sequential(*layers, nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(8, 10))


POWER_ITERATION = "spectral_norm moves its vectors while training only"


@model(inputs=SMALL_IMAGE, target=TEN, needs_eval=POWER_ITERATION)
def spectral_norm():
    norm = nn.utils.parametrizations.spectral_norm
    layers = [norm(nn.Conv2d(3, 8, 3)), nn.LeakyReLU(0.2), nn.Flatten()]
    return nn.Sequential(*layers, norm(after_small_convolution()))


@model(inputs=SMALL_IMAGE, target=TEN, needs_eval=POWER_ITERATION)
def spectral_norm_old():
    layers = [nn.utils.spectral_norm(nn.Conv2d(3, 8, 3)), nn.LeakyReLU(0.2), nn.Flatten()]
    return nn.Sequential(*layers, after_small_convolution())


@model(inputs=floats(64), target=values(64), loss="mse")
def autoencoder():
    encoder = [nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 4), nn.ReLU()]
    return nn.Sequential(*encoder, nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 64), nn.Sigmoid())


class UNet(nn.Module):
    """Two steps down, two up: a transposed convolution and an interpolation."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = self.block(3, 8), self.block(8, 16), self.block(16, 32)
        self.up2, self.join2 = nn.ConvTranspose2d(32, 16, 2, 2), self.block(32, 16)
        self.up1, self.join1 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), self.block(24, 8)
        self.classify = nn.Conv2d(8, 4, 1)

    @staticmethod
    def block(before, after):
        return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True))

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        x = self.middle(F.max_pool2d(second, 2))
        x = self.join2(torch.cat([self.up2(x), second], 1))
        return self.classify(self.join1(torch.cat([self.up1(x), first], 1)))


@model(inputs=images(3, 32), target=classes(4, 32, 32))
def unet():
    return UNet()


@model(inputs=SMALL_IMAGE, target=TEN)
def norms():
    groups = [nn.Conv2d(3, 8, 3), nn.GroupNorm(2, 8), nn.ReLU()]
    instances = [nn.Conv2d(8, 8, 3), nn.InstanceNorm2d(8, affine=True), nn.ReLU()]
    responses = [nn.Conv2d(8, 8, 3), nn.LocalResponseNorm(3), nn.Flatten()]
    rows = [nn.LayerNorm(8 * 10 * 10), nn.Linear(800, 16), nn.RMSNorm(16), nn.Linear(16, 10)]
    return nn.Sequential(*groups, *instances, *responses, *rows)


@model(inputs=SMALL_IMAGE, target=TEN)
def instance_norm_tracked():
    norm = nn.InstanceNorm2d(8, affine=True, track_running_stats=True)
    return nn.Sequential(nn.Conv2d(3, 8, 3), norm, nn.ReLU(), nn.Flatten(), after_small_convolution())


@model(inputs=SMALL_IMAGE, target=TEN)
def batch_norm_cumulative():
    norm = nn.BatchNorm2d(8, momentum=None)
    return nn.Sequential(nn.Conv2d(3, 8, 3), norm, nn.ReLU(), nn.Flatten(), after_small_convolution())


@model(inputs=SMALL_IMAGE, target=TEN)
def batch_norm_untracked():
    norm = nn.BatchNorm2d(8, track_running_stats=False)
    return nn.Sequential(nn.Conv2d(3, 8, 3), norm, nn.ReLU(), nn.Flatten(), after_small_convolution())


@model(inputs=SMALL_IMAGE, target=TEN)
def batch_norm_frozen():
    norm = nn.BatchNorm2d(8).eval()
    return nn.Sequential(nn.Conv2d(3, 8, 3), norm, nn.ReLU(), nn.Dropout(0.1), nn.Flatten(), after_small_convolution())


@model(inputs=floats(16), target=values(3, 16, 16), loss="mse")
def dcgan_generator():
    first = [nn.Unflatten(1, (16, 1, 1)), nn.ConvTranspose2d(16, 16, 4), nn.BatchNorm2d(16), nn.ReLU()]
    second = [nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU()]
    return nn.Sequential(*first, *second, nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh())


@model(inputs=floats(1, 8, 8, 8), target=TEN)
def conv3d():
    layers = [nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4), nn.ReLU(), nn.MaxPool3d(2), nn.Dropout3d(0.1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * 27, 10))


@model(inputs=images(1, 12), target=values(1, 24, 24), loss="mse")
def super_resolution():
    layers = [nn.Conv2d(1, 8, 5, padding=2, padding_mode="reflect"), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(8, 4, 3, padding="same"), nn.PixelShuffle(2))
