"""Layers, each in a small model that has weights: activations, convolutions, norms and dropout."""

from catalogue import add, floats, values
from torch import nn


def layer(name: str, build, shape=(6,), result=None) -> None:
    """Adds Sequential(linear layer, the layer), which returns numbers of the shape `result`."""

    def made():
        return nn.Sequential(nn.Linear(shape[-1], shape[-1]), build())

    add(f"layer_{name}", made, "layers", inputs=floats(*shape), target=values(*(result or shape)), loss="mse")


for kind in ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "Sigmoid", "LogSigmoid", "Tanh"):
    layer(kind.lower(), getattr(nn, kind))
for kind in ("Hardtanh", "LeakyReLU", "PReLU", "RReLU", "ELU", "CELU", "GELU", "Softplus", "Softsign", "Tanhshrink"):
    layer(kind.lower(), getattr(nn, kind))
for kind in ("Hardshrink", "Softshrink"):
    layer(kind.lower(), getattr(nn, kind))
layer("hardtanh_limits", lambda: nn.Hardtanh(-0.3, 0.2))
layer("leakyrelu_slope", lambda: nn.LeakyReLU(0.2))
layer("prelu_channels", lambda: nn.PReLU(4, 0.1), (4, 6))
layer("rrelu_limits", lambda: nn.RReLU(0.1, 0.9))
layer("elu_alpha", lambda: nn.ELU(0.5))
layer("celu_alpha", lambda: nn.CELU(2.0))
layer("gelu_tanh", lambda: nn.GELU(approximate="tanh"))
layer("softplus_beta", lambda: nn.Softplus(2.0, 0.5))
layer("hardshrink_lambda", lambda: nn.Hardshrink(0.1))
layer("softshrink_lambda", lambda: nn.Softshrink(0.1))
layer("threshold", lambda: nn.Threshold(0.1, -2))
layer("softmax", lambda: nn.Softmax(-1))
layer("softmax_axis", lambda: nn.Softmax(1), (4, 6))
layer("softmax2d", nn.Softmax2d, (3, 4, 6))
layer("softmin", lambda: nn.Softmin(1))
layer("logsoftmax", lambda: nn.LogSoftmax(1))
layer("glu", nn.GLU, (6,), (3,))
layer("glu_axis", lambda: nn.GLU(1), (4, 6), (2, 6))

layer("conv1d", lambda: nn.Conv1d(4, 6, 3), (4, 9), (6, 7))
layer("conv1d_all", lambda: nn.Conv1d(4, 6, 3, 2, 1, 2, 2, False), (4, 9), (6, 4))
layer("conv1d_same", lambda: nn.Conv1d(4, 6, 4, padding="same", padding_mode="circular"), (4, 9), (6, 9))
layer("conv2d", lambda: nn.Conv2d(4, 6, (3, 2)), (4, 7, 8), (6, 5, 7))
layer("conv2d_all", lambda: nn.Conv2d(4, 6, 3, (2, 1), (1, 2), (1, 2), 2, False), (4, 7, 8), (6, 4, 8))
layer("conv2d_same", lambda: nn.Conv2d(4, 6, 4, padding="same"), (4, 7, 8), (6, 7, 8))
layer("conv2d_valid", lambda: nn.Conv2d(4, 6, 3, padding="valid"), (4, 7, 8), (6, 5, 6))
layer("conv2d_reflect", lambda: nn.Conv2d(4, 6, 3, padding=(1, 2), padding_mode="reflect"), (4, 7, 8), (6, 7, 10))
layer("conv2d_replicate", lambda: nn.Conv2d(4, 6, 4, padding="same", padding_mode="replicate"), (4, 7, 8), (6, 7, 8))
layer("conv3d", lambda: nn.Conv3d(2, 4, 3), (2, 5, 6, 7), (4, 3, 4, 5))
layer("conv3d_all", lambda: nn.Conv3d(2, 4, (3, 2, 1), 2, (1, 1, 0), 1, 2, False), (2, 5, 6, 7), (4, 3, 4, 4))
layer("convtranspose1d", lambda: nn.ConvTranspose1d(4, 6, 3), (4, 5), (6, 7))
layer("convtranspose1d_all", lambda: nn.ConvTranspose1d(4, 6, 4, 2, 1, 1, 2, False, 2), (4, 5), (6, 14))
layer("convtranspose2d", lambda: nn.ConvTranspose2d(4, 6, 2, 2), (4, 5, 6), (6, 10, 12))
layer("convtranspose2d_all", lambda: nn.ConvTranspose2d(4, 6, 3, (2, 3), 1, (1, 2), 2), (4, 5, 6), (6, 10, 18))
layer("convtranspose3d", lambda: nn.ConvTranspose3d(2, 4, 2, 2, groups=2), (2, 2, 3, 4), (4, 4, 6, 8))

layer("batchnorm1d", lambda: nn.BatchNorm1d(6))
layer("batchnorm1d_sequence", lambda: nn.BatchNorm1d(4, 1e-3, 0.3), (4, 6))
layer("batchnorm2d", lambda: nn.BatchNorm2d(3), (3, 4, 6))
layer("batchnorm2d_plain", lambda: nn.BatchNorm2d(3, affine=False), (3, 4, 6))
layer("batchnorm2d_untracked", lambda: nn.BatchNorm2d(3, track_running_stats=False), (3, 4, 6))
layer("batchnorm3d", lambda: nn.BatchNorm3d(3), (3, 2, 4, 6))
layer("layernorm", lambda: nn.LayerNorm(6))
layer("layernorm_axes", lambda: nn.LayerNorm([4, 6], 1e-3, bias=False), (3, 4, 6))
layer("layernorm_plain", lambda: nn.LayerNorm(6, elementwise_affine=False))
layer("rmsnorm", lambda: nn.RMSNorm(6))
layer("rmsnorm_axes", lambda: nn.RMSNorm([4, 6], 1e-3, False), (3, 4, 6))
layer("groupnorm", lambda: nn.GroupNorm(2, 4), (4, 6))
layer("groupnorm_plain", lambda: nn.GroupNorm(4, 4, 1e-3, False), (4, 3, 6))
layer("instancenorm1d", lambda: nn.InstanceNorm1d(4), (4, 6))
layer("instancenorm2d", lambda: nn.InstanceNorm2d(4, 1e-3, 0.2, True, True), (4, 3, 6))
layer("instancenorm3d", lambda: nn.InstanceNorm3d(4, affine=True), (4, 2, 3, 6))
layer("localresponsenorm", lambda: nn.LocalResponseNorm(3), (4, 3, 6))
layer("localresponsenorm_all", lambda: nn.LocalResponseNorm(2, 1e-2, 0.5, 2.0), (4, 3, 6))

layer("dropout", lambda: nn.Dropout(0.3))
layer("dropout1d", lambda: nn.Dropout1d(0.3), (4, 6))
layer("dropout2d", lambda: nn.Dropout2d(0.3), (4, 3, 6))
layer("dropout3d", lambda: nn.Dropout3d(0.3), (4, 2, 3, 6))
layer("alphadropout", lambda: nn.AlphaDropout(0.3))
layer("featurealphadropout", lambda: nn.FeatureAlphaDropout(0.3), (4, 3, 6))
