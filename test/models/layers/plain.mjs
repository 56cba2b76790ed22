// The models of layers_plain.py, made of layers here.
import { linear, relu, sequential } from 'torch-incremental';

/** After a linear layer, or after `before`. */
const after = (layer, before = linear(6, 6)) => sequential([before, layer]);

export const plainLayers = {
  relu: () => after(relu()),
};
