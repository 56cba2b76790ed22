// Calls of layers that work: recurrent ones, attention, convolutions, norms, pools and images. For calls.mjs.
import { floats, indices, known, sizesOf } from './call-tensors.mjs';

/** Each a list [operator with its overload, arguments by name]: objects with a shape are tensors, lists of them lists of tensors. */
export const layerCalls = (random) => {
  const { n, c, h, w, k } = sizesOf(random);
  const hidden = 1 + random.below(8);
  const layers = 1 + random.below(2);
  const directions = 1 + random.below(2);
  const gates = (count, inputs = c) =>
    Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: directions }, () => [
        floats(count * hidden, layer === 0 ? inputs : directions * hidden),
        floats(count * hidden, hidden),
        floats(count * hidden),
        floats(count * hidden),
      ]),
    ).flat(2);
  const state = floats(layers * directions, n, hidden);
  const recurrent = (count) => ({
    input: floats(h, n, c),
    hx: state,
    params: gates(count),
    has_biases: true,
    ...{
      num_layers: layers,
      dropout: random.once(2) ? 0 : 0.5,
      train: random.once(2),
      bidirectional: directions === 2,
      batch_first: false,
    },
  });
  const packed = (count) => {
    const { input: _, batch_first: __, ...rest } = recurrent(count);
    const sizes = Array.from({ length: h }, (___, i) => (i < 2 ? n : 1));
    return {
      data: floats(
        sizes.reduce((sum, size) => sum + size, 0),
        c,
      ),
      batch_sizes: known(sizes),
      ...rest,
    };
  };
  const cell = (count) => ({
    ...{
      input: floats(n, c),
      hx: floats(n, hidden),
      w_ih: floats(count * hidden, c),
      w_hh: floats(count * hidden, hidden),
    },
    ...{ b_ih: floats(count * hidden), b_hh: floats(count * hidden) },
  });
  const image = floats(n, c, h, w);
  const padding = [random.below(2), random.below(2)];
  const pool = { self: image, kernel_size: [2, 2], stride: [1 + random.below(2), 1], padding: [0, random.below(2)] };
  const norm = { input: image, weight: floats(c), bias: floats(c) };
  const statistics = {
    running_mean: floats(c),
    running_var: floats(c),
    momentum: 0.1,
    eps: 1e-5,
    cudnn_enabled: false,
  };
  const triple = { query: floats(n, 2, h, c), key: floats(n, 2, w, c), value: floats(n, 2, w, k) };
  return [
    [
      'conv1d.',
      {
        input: floats(n, c, w),
        weight: floats(k, c, 3),
        bias: floats(k),
        stride: [1],
        padding: [1],
        dilation: [1],
        groups: 1,
      },
    ],
    [
      'conv2d.',
      {
        input: image,
        weight: floats(2 * k, c / 2, 3, 2),
        bias: floats(2 * k),
        stride: [1, 2],
        padding,
        dilation: [1, 1],
        groups: 2,
      },
    ],
    [
      'conv2d.padding',
      { input: image, weight: floats(k, c, 2, 2), stride: [1, 1], padding: random.once(2) ? 'same' : 'valid' },
    ],
    ['conv3d.', { input: floats(n, c, 3, h, w), weight: floats(k, c, 2, 2, 2), padding: [1, 0, 1] }],
    [
      'conv_transpose1d.',
      { input: floats(n, c, w), weight: floats(c, k, 3), stride: [2], output_padding: [1], padding: [1] },
    ],
    [
      'conv_transpose2d.input',
      { input: image, weight: floats(c, k, 2, 2), bias: floats(k), stride: [2, 2], groups: 1 },
    ],
    ['conv_transpose3d.input', { input: floats(n, c, 2, h, w), weight: floats(c, k, 2, 2, 2), padding: [0, 1, 0] }],
    [
      'convolution.',
      {
        input: image,
        weight: floats(k, c, 3, 3),
        bias: floats(k),
        stride: [1, 1],
        padding,
        dilation: [1, 1],
        transposed: false,
        output_padding: [0, 0],
        groups: 1,
      },
    ],
    ['lstm.input', { ...recurrent(4), hx: [state, state] }],
    ['lstm.data', { ...packed(4), hx: [state, state] }],
    ['gru.input', recurrent(3)],
    ['gru.data', packed(3)],
    ['rnn_tanh.input', recurrent(1)],
    ['rnn_tanh.data', packed(1)],
    ['rnn_relu.input', recurrent(1)],
    ['lstm_cell.', { ...cell(4), hx: [floats(n, hidden), floats(n, hidden)] }],
    ['gru_cell.', cell(3)],
    ['rnn_relu_cell.', cell(1)],
    [
      'scaled_dot_product_attention.',
      {
        ...triple,
        attn_mask: random.pick([null, floats(h, w), { shape: [h, w], dtype: 'bool' }]),
        dropout_p: random.pick([0, 0.3]),
      },
    ],
    [
      'scaled_dot_product_attention.',
      {
        query: floats(n, 4, h, 8),
        key: floats(n, 2, h, 8),
        value: floats(n, 2, h, 8),
        is_causal: true,
        enable_gqa: true,
      },
    ],
    [
      'embedding.',
      { weight: floats(4, c), indices: indices(n, w), padding_idx: 1, scale_grad_by_freq: random.once(2) },
    ],
    ['embedding_bag.', { weight: floats(4, c), indices: indices(w), offsets: known([0, 2]), mode: random.below(3) }],
    [
      'embedding_bag.padding_idx',
      {
        weight: floats(4, c),
        indices: indices(w),
        offsets: known([0, 1, w]),
        mode: random.below(3),
        include_last_offset: true,
        padding_idx: 1,
        scale_grad_by_freq: false,
        sparse: false,
        per_sample_weights: null,
      },
    ],
    ['bilinear.', { input1: floats(n, c), input2: floats(n, k), weight: floats(h, c, k), bias: floats(h) }],
    ['batch_norm.', { ...norm, ...statistics, training: random.once(2) }],
    ['instance_norm.', { ...norm, ...statistics, use_input_stats: random.once(2) }],
    ['group_norm.', { ...norm, num_groups: 2 }],
    [
      'layer_norm.',
      { input: image, normalized_shape: [{ int: h }, { int: w }], weight: floats(h, w), bias: floats(h, w) },
    ],
    ['rms_norm.', { input: image, normalized_shape: [{ int: w }], weight: floats(w) }],
    ['max_pool2d.', pool],
    ['max_pool2d_with_indices.', pool],
    ['max_pool3d_with_indices.', { self: floats(n, c, 3, h, w), kernel_size: [2, 2, 2] }],
    ['max_pool1d_with_indices.', { self: floats(n, c, w), kernel_size: [2] }],
    ['avg_pool2d.', { ...pool, ceil_mode: random.once(2), count_include_pad: random.once(2) }],
    ['avg_pool3d.', { self: floats(n, c, 3, h, w), kernel_size: [2, 2, 2], stride: [1, 1, 1] }],
    ['adaptive_avg_pool2d.', { self: image, output_size: [{ int: 2 }, { int: k }] }],
    ['adaptive_max_pool2d.', { self: image, output_size: [2, k] }],
    ['adaptive_max_pool3d.', { self: floats(n, c, 3, h, w), output_size: [2, 1, 2] }],
    [
      'max_unpool2d.',
      { self: floats(n, c, 2, 2), indices: indices(n, c, 2, 2), output_size: [{ int: 4 }, { int: 4 }] },
    ],
    [
      'max_unpool3d.',
      {
        self: floats(n, c, 2, 2, 2),
        indices: indices(n, c, 2, 2, 2),
        output_size: [{ int: 4 }, { int: 4 }, { int: 4 }],
        stride: [2, 2, 2],
        padding: [0, 0, 0],
      },
    ],
    ['upsample_nearest2d.', { self: image, output_size: [{ int: 2 * h }, { int: w }] }],
    ['upsample_bilinear2d.', { self: image, output_size: [{ int: 2 * h }, { int: w }], align_corners: random.once(2) }],
    ['upsample_bicubic2d.vec', { input: image, output_size: null, align_corners: false, scale_factors: [2, 0.5] }],
    [
      'upsample_trilinear3d.',
      { self: floats(n, c, 2, h, w), output_size: [{ int: 4 }, { int: h }, { int: w }], align_corners: true },
    ],
    [
      'grid_sampler.',
      {
        input: image,
        grid: floats(n, 2, 3, 2),
        interpolation_mode: random.below(3),
        padding_mode: random.below(3),
        align_corners: random.once(2),
      },
    ],
    [
      'affine_grid_generator.',
      { theta: floats(n, 2, 3), size: [n, c, h, w].map((int) => ({ int })), align_corners: true },
    ],
    ['pixel_shuffle.', { self: floats(n, 4, h, w), upscale_factor: 2 }],
    ['pixel_unshuffle.', { self: floats(n, c, 4, 2), downscale_factor: 2 }],
    ['channel_shuffle.', { self: image, groups: { int: 2 } }],
    ['im2col.', { self: image, kernel_size: [2, 2], dilation: [1, 1], padding: [1, 0], stride: [1, 1] }],
    [
      'col2im.',
      {
        self: floats(n, 4 * c, 9),
        output_size: [{ int: 4 }, { int: 4 }],
        kernel_size: [2, 2],
        dilation: [1, 1],
        padding: [0, 0],
        stride: [1, 1],
      },
    ],
    ['unfold.', { self: image, dimension: 2, size: 2, step: 1 }],
    ['_weight_norm.', { v: floats(h, w), g: floats(h, 1), dim: 0 }],
    [
      'cdist.',
      {
        x1: floats(n, h, c),
        x2: floats(n, w, c),
        p: random.pick([0, 1, 1.5, 2, 3]),
        compute_mode: { int: random.below(3) },
      },
    ],
  ];
};
