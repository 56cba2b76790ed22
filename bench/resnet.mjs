// A small residual network of the shape of ResNet-18, against PyTorch.
import { compareModel } from './compare-models.mjs';

await compareModel('resnet', 'A residual network', { samples: 1024 });
