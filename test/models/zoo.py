"""Classifiers of torchvision on small images, by the names that getModel() takes. test/golden/zoo-support.mjs has their options for Node."""

import without_operators
import torch
import torchvision
from catalogue import add, classes, images
from torchvision.models.regnet import BlockParams

SIDES = {"alexnet": 64, "inception_v3": 75, "swin": 64, "maxvit": 224, "vit": 64, "vit_h_14": 56}
# Options beside the number of classes. The further classifier of inception_v3 takes images of 299 pixels.
OPTIONS = {"vit": {"image_size": 64}, "vit_h_14": {"image_size": 56}, "inception_v3": {"aux_logits": False}}


plan = BlockParams.from_init_params


def plan_on_cpu(*args, **options):
    """RegNets compute their widths with tensors, which have to have values where those of the model have none."""
    with torch.device("cpu"):
        return plan(*args, **options)


BlockParams.from_init_params = plan_on_cpu


def of_name(table, name: str, default):
    """The entry of the longest key that the name begins with."""
    keys = [key for key in table if name.startswith(key)]
    return table[max(keys, key=len)] if keys else default


def architecture(name: str, label=None, side=None, **options) -> None:
    options = {"num_classes": 7, **of_name(OPTIONS, name, {}), **options}

    def build():
        return torchvision.models.get_model(name, weights=None, **options)

    # These two return more while training.
    output = 0 if name in ("googlenet", "inception_v3") else None
    inputs = images(3, side or of_name(SIDES, name, 32))
    add(f"zoo_{label or name}", build, "zoo", inputs=inputs, target=classes(7), output=output)


for each in torchvision.models.list_models(module=torchvision.models):
    architecture(each)

# Other options of the constructors.
architecture("resnet18", "resnet18_zero", zero_init_residual=True)
architecture("resnet50", "resnet50_dilated", replace_stride_with_dilation=[False, True, True], width_per_group=32, groups=2)
architecture("vgg11", "vgg11_plain", init_weights=False, dropout=0.2)
architecture("densenet121", "densenet121_drop", drop_rate=0.1, bn_size=2)
architecture("mobilenet_v2", "mobilenet_v2_narrow", width_mult=0.35, round_nearest=4, dropout=0.5)
architecture("mobilenet_v3_small", "mobilenet_v3_dilated", width_mult=0.75, reduced_tail=True, dilated=True)
architecture("googlenet", "googlenet_plain", aux_logits=False, transform_input=True, init_weights=False, dropout=0.4)
architecture("inception_v3", "inception_v3_aux", side=299, aux_logits=True, transform_input=True, init_weights=False)
architecture("regnet_y_400mf", "regnet_y_400mf_stem", stem_width=24)
architecture("efficientnet_b0", "efficientnet_b0_deep", stochastic_depth_prob=0.5, dropout=0.1)
architecture("convnext_tiny", "convnext_tiny_deep", stochastic_depth_prob=0.5, layer_scale=0.1)
architecture("vit_b_32", "vit_b_32_drop", dropout=0.1, attention_dropout=0.2, representation_size=32)
