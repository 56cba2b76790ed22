// A network of three convolutions with batch norm, ReLU and pooling, against PyTorch.
import { compareModel } from './compare-models.mjs';

await compareModel('cnn', 'A CNN with batch norm and ReLU', { samples: 2048 });
