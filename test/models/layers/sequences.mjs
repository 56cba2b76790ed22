// The models of layers_sequences.py, made of layers here.
export const sequenceLayers = {};
