"""Classifiers of torchvision on small images, by the names that getModel() takes."""

import sys
import types

sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))

import torchvision
from catalogue import add, classes, images

SIDES = {"alexnet": 64, "inception_v3": 75, "swin": 64, "maxvit": 224, "vit": 224}


def side_of(name: str) -> int:
    return next((side for prefix, side in SIDES.items() if name.startswith(prefix)), 32)


def architecture(name: str) -> None:
    def build():
        return torchvision.models.get_model(name, weights=None, num_classes=7)

    add(f"zoo_{name}", build, "zoo", inputs=images(3, side_of(name)), target=classes(7))


for each in torchvision.models.list_models(module=torchvision.models):
    architecture(each)
