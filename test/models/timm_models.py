"""Models of timm, with random weights and ten classes, on images of 64 pixels where they take those."""

import without_operators
import timm
from catalogue import add, classes, images

GROUP = "timm"


def of_timm(kind, label=None, side=64, **options):
    build = lambda: timm.create_model(kind, pretrained=False, num_classes=10, **options)
    add(f"timm_{label or kind}", build, GROUP, inputs=images(3, side), target=classes(10))


CONVOLUTIONS = """
resnet10t mobilenetv3_small_050 tf_efficientnet_b0 convnext_atto ghostnet_050 lcnet_035 poolformer_s12 regnetx_002 repvgg_a0
hrnet_w18_small nf_resnet26 mobilevit_xxs edgenext_xx_small mobilenetv4_conv_small dla34 res2net50_14w_8s fastvit_t8
pvt_v2_b0 resnest14d cspresnet50 xcit_nano_12_p16_224
"""

for kind in CONVOLUTIONS.split():
    of_timm(kind)
for kind in ("efficientformer_l1", "levit_128s"):
    of_timm(kind, side=224)
for kind in ("vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "mixer_s32_224"):
    of_timm(kind, img_size=64)
of_timm("cait_xxs24_224", img_size=64, depth=4)
of_timm("beit_base_patch16_224", img_size=64, depth=2, embed_dim=192, num_heads=3)
of_timm("eva02_tiny_patch14_224", side=56, img_size=56)
of_timm("swin_tiny_patch4_window7_224", side=56, img_size=56)
of_timm("resnet18", label="resnet18_drop", drop_rate=0.2, drop_path_rate=0.1)
