"""Models of torchvision, with random weights and ten classes, on images of 64 pixels or fewer where they take those."""

import without_operators
import torchvision
from catalogue import add, classes, floats, images, model
from torch import nn
from torch.utils import _pytree
from torchvision.models.googlenet import GoogLeNetOutputs
from torchvision.models.inception import InceptionOutputs

GROUP = "torchvision"
TEN = classes(10)
MAP = classes(10, 64, 64)
AUXILIARY = "it returns more while training"

# torch.export.save() refuses named tuples that have no name to be saved under.
for outputs in (GoogLeNetOutputs, InceptionOutputs):
    _pytree._register_namedtuple(outputs, serialized_type_name=f"{outputs.__module__}.{outputs.__qualname__}")


def of_torchvision(kind, label=None, inputs=images(3, 64), target=TEN, facts=None, **options):
    build = lambda: torchvision.models.get_model(kind, weights=None, num_classes=10, **options)
    add(f"tv_{label or kind}", build, GROUP, inputs=inputs, target=target, **(facts or {}))


# The first 15 are those that `npm run test:long` trains; small and unlike each other.
for kind in ("resnet18", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v2"):
    of_torchvision(kind)
for kind in ("efficientnet_b0", "regnet_y_400mf", "alexnet"):
    of_torchvision(kind)
of_torchvision("lraspp_mobilenet_v3_large", target=MAP, facts={"output": "out"}, weights_backbone=None)
of_torchvision("googlenet", label="googlenet_noaux", init_weights=False, aux_logits=False)
for kind in ("densenet121", "convnext_tiny", "swin_t"):
    of_torchvision(kind)


@model(GROUP, inputs=images(3, 64), target=TEN)
def tv_resnet18_finetune():
    net = torchvision.models.resnet18(weights=None).requires_grad_(False)
    net.fc = nn.Linear(512, 10)
    return net


for kind in ("vgg11_bn", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "efficientnet_v2_s", "swin_v2_t"):
    of_torchvision(kind)
of_torchvision("vit_b_16", image_size=64)
of_torchvision("maxvit_t", inputs=images(3, 224))
of_torchvision("googlenet", facts={"output": 0, "needs_eval": AUXILIARY}, init_weights=False)
# Its auxiliary classifier takes images of 299 pixels.
of_torchvision(
    "inception_v3", inputs=images(3, 299), facts={"output": 0, "needs_eval": AUXILIARY}, init_weights=False
)
of_torchvision("fcn_resnet50", target=MAP, facts={"output": "out"}, weights_backbone=None)
of_torchvision("deeplabv3_mobilenet_v3_large", target=MAP, facts={"output": "out"}, weights_backbone=None)
of_torchvision("r3d_18", inputs=floats(3, 8, 32, 32))
