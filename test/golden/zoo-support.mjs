// The architectures of the zoo by how much it takes to train them here.
import { listModels } from 'torch-incremental';

/** Trained with every change, in seconds: one or two of each family. */
export const small = ['resnet18', 'resnext50_32x4d'].filter((name) => listModels().includes(name));

/** Not trained beside other tests: gigabytes of weights, of which three copies are held. */
const large =
  /^(vit_(l|h)|regnet_y_128gf|convnext_large|swin_b|swin_v2_b|vgg|resnext101_64x4d|wide_resnet101_2|regnet_(x|y)_(16|32)gf|maxvit_t)/;

export const others = listModels().filter((name) => !small.includes(name) && !large.test(name));
export const largest = listModels().filter((name) => large.test(name));
