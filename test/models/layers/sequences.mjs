// The models of layers_sequences.py and layers_attention.py, made of layers here.
import {
  embedding,
  embeddingBag,
  firstStep,
  gru,
  lastStep,
  linear,
  lstm,
  maxOverTime,
  meanOverTime,
  multiheadAttention,
  node,
  positionalEncoding,
  rnn,
  sequential,
  transformerDecoder,
  transformerDecoderLayer,
  transformerEncoder,
  transformerEncoderLayer,
  value,
} from 'torch-incremental';

const ids = { inputs: { ids: { dtype: 'int64' } } };
const masked = { inputs: { x: {}, mask: { dtype: 'int64' } } };
const remembering = { inputs: { x: {}, memory: {} } };
const batchFirst = { batchFirst: true };

/** Followed by a linear layer. */
const found = (table) => sequential({ table, fc: linear(6, 3) }, ids);
const recurrent = (layer, width = 5) => sequential({ rnn: layer, fc: linear(width, 3) });
const pooled = (pool, inputs = {}) => sequential({ fc1: linear(6, 6), pool, fc2: linear(6, 3) }, inputs);
const attended = (options, inputs = {}) =>
  sequential({ attn: multiheadAttention(6, 2, options), fc: linear(6, 3) }, inputs);
const encoded = (encode, inputs = {}) => sequential({ encode, fc: linear(6, 3) }, inputs);
const decoded = (decode) => sequential({ decode, fc: linear(6, 3) }, remembering);
const placed = (options) =>
  sequential({ fc1: linear(6, 6), place: positionalEncoding({ length: 9, dim: 6, ...options }), fc2: linear(6, 3) });

const deep = { numLayers: 2, dropout: 0.3, bidirectional: true, ...batchFirst };
const added = { addBiasKv: true, addZeroAttn: true, ...batchFirst };
const small = { dimFeedforward: 8, ...batchFirst };
const other = { normFirst: true, activation: 'gelu', layerNormEps: 1e-3 };
const encoderLayer = (options = {}) => transformerEncoderLayer(6, 2, { ...small, ...options });
const decoderLayer = (options = {}) => transformerDecoderLayer(6, 2, { ...small, ...options });

/** A module of children without tensors of its own. */
const composed = (type, children, steps) => ({
  ...{ type, version: 1, tensors: [], children: Object.entries(children), steps },
});

const ofStates = () =>
  composed('OfStates', { rnn: lstm(6, 5, deep), fc: linear(5, 3) }, [
    { module: 'rnn', input: 'input', output: { output: 'sequence', h_n: 'hidden', c_n: 'cells' } },
    node('select', 'int', { self: value('hidden'), dim: 0, index: -1 }, 'lastHidden'),
    node('select', 'int', { self: value('cells'), dim: 0, index: -1 }, 'lastCells'),
    node('add', 'Tensor', { self: value('lastHidden'), other: value('lastCells') }, 'sum'),
    { module: 'fc', input: 'sum', output: 'output' },
  ]);

const decoding = () => {
  const masks = { paddingMask: 'mask', memoryPaddingMask: 'mask' };
  const children = {
    encode: transformerEncoder(encoderLayer({ paddingMask: 'mask' }), 2),
    decode: transformerDecoder(decoderLayer(masks), 2),
    fc: linear(6, 3),
  };
  return composed('Decoding', children, [
    { module: 'encode', input: 'input', output: 'encoded' },
    { module: 'decode', input: { input: 'input', memory: 'encoded' }, output: 'decoded' },
    { module: 'fc', input: 'decoded', output: 'output' },
  ]);
};

export const sequenceLayers = {
  embedding: () => found(embedding(20, 6)),
  embedding_padding: () => found(embedding(20, 6, { paddingIdx: 0 })),
  embedding_padding_from_end: () => found(embedding(20, 6, { paddingIdx: -17 })),
  embedding_frequency: () => found(embedding(20, 6, { scaleGradByFreq: true })),
  embedding_planes: () => found(embedding(20, 6)),
  embedding_bag: () => found(embeddingBag(20, 6)),
  embedding_bag_sum: () => found(embeddingBag(20, 6, { mode: 'sum', paddingIdx: 3 })),
  embedding_bag_max: () => found(embeddingBag(20, 6, { mode: 'max', paddingIdx: -1 })),
  embedding_bag_frequency: () => found(embeddingBag(20, 6, { scaleGradByFreq: true })),

  lstm: () => recurrent(lstm(6, 5)),
  lstm_batch_first: () => recurrent(lstm(6, 5, batchFirst)),
  lstm_plain: () => recurrent(lstm(6, 5, { bias: false, ...batchFirst })),
  lstm_deep: () => recurrent(lstm(6, 5, deep), 10),
  lstm_projected: () => recurrent(lstm(6, 5, { projSize: 3, ...deep }), 6),
  lstm_projected_plain: () => recurrent(lstm(6, 5, { projSize: 2, bias: false, ...batchFirst }), 2),
  gru: () => recurrent(gru(6, 5)),
  gru_deep: () => recurrent(gru(6, 5, deep), 10),
  gru_plain: () => recurrent(gru(6, 5, { bias: false, ...batchFirst })),
  rnn: () => recurrent(rnn(6, 5)),
  rnn_relu: () => recurrent(rnn(6, 5, { nonlinearity: 'relu', ...batchFirst })),
  rnn_deep: () => recurrent(rnn(6, 5, deep), 10),
  lstm_states: () => sequential([ofStates()]),

  last_step: () => pooled(lastStep()),
  first_step: () => pooled(firstStep()),
  mean_over_time: () => pooled(meanOverTime()),
  max_over_time: () => pooled(maxOverTime()),
  mean_over_time_mask: () => pooled(meanOverTime({ mask: 'mask' }), masked),
  max_over_time_mask: () => pooled(maxOverTime({ mask: 'mask' }), masked),

  multihead_attention: () => attended({}),
  multihead_attention_batch_first: () => attended(batchFirst),
  multihead_attention_dropout: () => attended({ dropout: 0.3, ...batchFirst }),
  multihead_attention_plain: () => attended({ bias: false, ...batchFirst }),
  multihead_attention_added: () => attended(added),
  multihead_attention_causal: () => attended({ causal: true, ...batchFirst }),
  multihead_attention_causal_time_first: () => attended({ causal: true }),
  multihead_attention_causal_added: () => attended({ causal: true, ...added }),
  multihead_attention_padding: () => attended({ paddingMask: 'mask', addZeroAttn: true, ...batchFirst }, masked),
  multihead_attention_padding_causal: () =>
    attended({ paddingMask: 'mask', causal: true, dropout: 0.2, ...batchFirst }, masked),
  multihead_attention_padding_alone: () => attended({ paddingMask: 'mask', ...batchFirst }, masked),
  multihead_attention_memory: () => attended({ memory: 'memory', ...batchFirst }, remembering),
  multihead_attention_memory_plain: () => attended({ memory: 'memory', bias: false, ...batchFirst }, remembering),
  multihead_attention_wide: () => attended({ memory: 'memory', kdim: 5, vdim: 5, ...batchFirst }, remembering),
  multihead_attention_wide_plain: () =>
    attended({ memory: 'memory', kdim: 5, bias: false, addBiasKv: true, ...batchFirst }, remembering),

  transformer_encoder_layer: () => encoded(transformerEncoderLayer(6, 2)),
  transformer_encoder_layer_small: () => encoded(encoderLayer()),
  transformer_encoder_layer_first: () => encoded(encoderLayer(other)),
  transformer_encoder_layer_plain: () => encoded(encoderLayer({ bias: false, dropout: 0, causal: true })),
  transformer_encoder_layer_padding: () => encoded(encoderLayer({ paddingMask: 'mask' }), masked),
  transformer_decoder_layer: () => decoded(decoderLayer({ memory: 'memory', causal: true })),
  transformer_decoder_layer_first: () =>
    decoded(decoderLayer({ memory: 'memory', bias: false, dropout: 0.3, ...other })),
  transformer_decoder: () =>
    decoded(transformerDecoder(decoderLayer({ memory: 'memory', causal: true }), 2, { norm: true })),
  transformer_encoder: () =>
    encoded(transformerEncoder(encoderLayer({ paddingMask: 'mask' }), 3, { norm: true }), masked),
  transformer_encoder_plain: () => encoded(transformerEncoder(encoderLayer(), 2)),
  transformer_encoder_decoder: () => sequential([decoding()], masked),

  positional_encoding: () => placed({}),
  positional_encoding_dropout: () => placed({ dropout: 0.3, ...batchFirst }),
  positional_encoding_learned: () => placed({ kind: 'learned', dropout: 0.2, ...batchFirst }),
  positional_encoding_learned_time_first: () => placed({ kind: 'learned' }),
};
