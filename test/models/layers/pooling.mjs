// The models of layers_pooling.py, made of layers here.
export const poolingLayers = {};
