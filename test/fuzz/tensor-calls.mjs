// Calls that work of losses, indices, transforms and arithmetic of tensors. For calls.mjs.
import { floats, indices, known, sizesOf } from './call-tensors.mjs';

/** As layerCalls(): each a list [operator with its overload, arguments by name]: objects with a shape are tensors, lists of them lists of tensors. */
export const tensorCalls = (random) => {
  const { n, c, h, w, k } = sizesOf(random);
  const image = floats(n, c, h, w);
  const loss = { self: floats(n, c), target: floats(n, c), reduction: random.below(3) };
  const classes = {
    self: floats(n, c),
    target: indices(n),
    weight: floats(c),
    reduction: random.below(3),
    ignore_index: { int: random.once(2) ? -100 : 1 },
  };
  const scattered = { self: floats(h, w), dim: random.below(2), index: indices(2, 2) };
  return [
    ['cross_entropy_loss.', { ...classes, label_smoothing: random.pick([0, 0.1]) }],
    ['cross_entropy_loss.', { self: image, target: indices(n, h, w), ignore_index: { int: 0 } }],
    ['nll_loss.', classes],
    ['nll_loss_nd.', classes],
    ['nll_loss2d.', { self: image, target: indices(n, h, w), weight: floats(c), reduction: random.below(3) }],
    [
      'binary_cross_entropy.',
      { ...loss, self: known([0.1, 0.5, 0.9], 'float32'), target: known([0, 1, 0.5], 'float32') },
    ],
    ['binary_cross_entropy_with_logits.', { ...loss, pos_weight: floats(c) }],
    ['kl_div.', { ...loss, log_target: random.once(2) }],
    ['mse_loss.', loss],
    ['smooth_l1_loss.', { ...loss, beta: random.pick([0, 0.5]) }],
    [
      'cosine_embedding_loss.',
      { input1: floats(n, c), input2: floats(n, c), target: known(Array(n).fill(-1), 'float32') },
    ],
    ['triplet_margin_loss.', { anchor: floats(n, c), positive: floats(n, c), negative: floats(n, c), swap: true }],
    ['gather.', { ...scattered, sparse_grad: false }],
    ['take_along_dim.', { self: floats(h, w), indices: indices(2, 2), dim: 1 }],
    ['index.Tensor', { self: image, indices: [indices(2), null, indices(2)] }],
    ['index.Tensor', { self: floats(h, w), indices: [{ shape: [h, w], dtype: 'bool' }] }],
    ['index_select.', { self: image, dim: 1, index: indices(3) }],
    [
      'index_put.',
      { self: floats(h, w), indices: [indices(3), indices(3)], values: floats(3), accumulate: random.once(2) },
    ],
    ['index_put_.', { self: known([1, 2, 3], 'float64'), indices: [indices(2)], values: known([4, 5], 'float64') }],
    ['index_add.', { self: floats(h, w), dim: 0, index: indices(2), source: floats(2, w), alpha: { float: 2 } }],
    ['index_copy.', { self: floats(h, w), dim: 0, index: indices(2), source: floats(2, w) }],
    ['index_fill.int_Scalar', { self: floats(h, w), dim: 0, index: indices(2), value: { float: 2 } }],
    ['scatter.src', { ...scattered, src: floats(2, 2) }],
    ['scatter.value', { ...scattered, value: { int: 3 } }],
    ['scatter.reduce', { ...scattered, src: floats(2, 2), reduce: random.pick(['add', 'multiply']) }],
    ['scatter_add.', { ...scattered, src: floats(2, 2) }],
    [
      'scatter_reduce.two',
      {
        ...scattered,
        src: floats(2, 2),
        reduce: random.pick(['sum', 'prod', 'mean', 'amax', 'amin']),
        include_self: random.once(2),
      },
    ],
    ['masked_scatter.', { self: floats(h, w), mask: { shape: [h, w], dtype: 'bool' }, source: floats(h, w) }],
    ['masked_select.', { self: floats(h, w), mask: { shape: [h, w], dtype: 'bool' } }],
    ['bucketize.Tensor', { self: floats(h, w), boundaries: known([0, 1, 2], 'float32'), right: random.once(2) }],
    [
      'searchsorted.Tensor',
      { sorted_sequence: floats(h, w), self: floats(h, 2), sorter: random.once(2) ? null : indices(h, w) },
    ],
    ['searchsorted.Scalar', { sorted_sequence: floats(w), self: { float: 1 }, sorter: indices(w) }],
    ['histc.', { self: floats(h, w), bins: 5, min: { float: -1 }, max: { float: 1 } }],
    ['bincount.', { self: indices(w), weights: floats(w), minlength: { int: 3 } }],
    ['multinomial.', { self: known([0.1, 0.2, 0.7], 'float32'), num_samples: { int: 2 }, replacement: random.once(2) }],
    [
      'repeat_interleave.self_Tensor',
      { self: floats(3, w), repeats: known([0, 2, 1]), dim: 0, output_size: random.pick([null, { int: 3 }]) },
    ],
    ['repeat_interleave.Tensor', { repeats: known([0, 2, 1]), output_size: random.pick([null, { int: 3 }]) }],
    ['one_hot.', { self: indices(n, w), num_classes: { int: 5 } }],
    [
      'einsum.',
      {
        equation: random.pick(['bij,bjk->bik', 'bij,bjk->k', '...j,...jk']),
        tensors: [floats(n, h, c), floats(n, c, k)],
      },
    ],
    ['linalg_multi_dot.', { tensors: [floats(h, c), floats(c, w), floats(w, k)] }],
    ['chain_matmul.', { matrices: [floats(h, c), floats(c, w), floats(w, k)] }],
    [
      'linalg_norm.',
      {
        self: floats(h, w),
        ord: random.pick([{ float: 2 }, { float: -1 }, { float: Number.POSITIVE_INFINITY }]),
        dim: [0, 1],
      },
    ],
    ['linalg_vector_norm.', { self: image, ord: { float: random.below(4) }, dim: [1] }],
    [
      'stft.center',
      {
        self: floats(2, 40),
        n_fft: 8,
        hop_length: 4,
        window: floats(8),
        center: true,
        return_complex: true,
        normalized: false,
        onesided: null,
      },
    ],
    ['istft.', { self: { shape: [5, 11], dtype: 'complex64' }, n_fft: 8, hop_length: 4, window: null }],
    ['fft_rfft.', { self: floats(n, 8), n: { int: 8 }, dim: 1 }],
    ['fft_irfft.', { self: { shape: [n, 5], dtype: 'complex64' }, n: { int: 8 } }],
    ['fft_fftn.', { self: image, s: [{ int: h }, { int: w }], dim: [2, 3] }],
    ['topk.', { self: floats(h, w), k: { int: 2 }, dim: 1 }],
    ['kthvalue.', { self: floats(h, w), k: { int: 2 }, dim: 1 }],
    ['cat.', { tensors: [floats(h, w), floats(2, w)], dim: 0 }],
    ['chunk.', { self: floats(h, w), chunks: 2, dim: 0 }],
    ['split_with_sizes.', { self: floats(3, w), split_sizes: [{ int: 1 }, { int: 2 }] }],
    ['meshgrid.indexing', { tensors: [floats(h), floats(w)], indexing: 'ij' }],
    [
      'pad.',
      {
        self: image,
        pad: [1, 1, 0, 1].map((int) => ({ int })),
        mode: random.pick(['constant', 'reflect', 'replicate', 'circular']),
      },
    ],
    ['reflection_pad2d.', { self: image, padding: [1, 1, 0, 1].map((int) => ({ int })) }],
    ['view_as_complex.', { self: floats(n, w, 2) }],
    ['addmm.', { self: floats(w), mat1: floats(h, c), mat2: floats(c, w), beta: { float: 0 } }],
    ['baddbmm.', { self: floats(n, h, k), batch1: floats(n, h, c), batch2: floats(n, c, k) }],
    ['slice_scatter.', { self: floats(h, w), src: floats(2, w), dim: 0, start: { int: 1 }, end: { int: 3 } }],
    ['select_scatter.', { self: floats(h, w), src: floats(w), dim: 0, index: { int: 1 } }],
    ['diag_embed.', { self: floats(n, w), offset: 1 }],
    ['tensordot.', { self: floats(h, c), other: floats(c, w), dims_self: [1], dims_other: [0] }],
    ['prelu.', { self: image, weight: floats(c) }],
    ['glu.', { self: image, dim: 1 }],
    ['complex.', { real: floats(h), imag: floats(h) }],
    ['rot90.', { self: floats(h, w), k: 1, dims: [0, 1] }],
    ['cumprod.', { self: floats(h, w), dim: 0 }],
  ];
};
