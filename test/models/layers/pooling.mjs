// The models of layers_pooling.py, made of layers here.
import * as exported from 'torch-incremental';

const t = { ...exported };

/** After a linear layer of the last axis. */
const after = (size, layer) => () => t.sequential([t.linear(size, size), layer()]);
const one = (layer) => after(12, layer);

const ofAxes = (n) => ({
  [`maxpool${n}d`]: one(() => t[`maxPool${n}d`](2)),
  [`maxpool${n}d_all`]: one(() => t[`maxPool${n}d`](3, { stride: 2, padding: 1, dilation: 2, ceilMode: true })),
  [`avgpool${n}d`]: one(() => t[`avgPool${n}d`](2)),
  [`avgpool${n}d_all`]: one(() =>
    t[`avgPool${n}d`](3, { stride: 2, padding: 1, ceilMode: true, countIncludePad: false }),
  ),
  [`adaptiveavgpool${n}d`]: one(() => t[`adaptiveAvgPool${n}d`](5)),
  [`adaptivemaxpool${n}d`]: one(() => t[`adaptiveMaxPool${n}d`](5)),
  [`lppool${n}d`]: one(() => t[`lpPool${n}d`](2, 2)),
  [`zeropad${n}d`]: one(() => t[`zeroPad${n}d`](1)),
  [`constantpad${n}d`]: one(() => t[`constantPad${n}d`]([0, 1, 2, 3, 4, 5].slice(0, 2 * n), 0.5)),
  [`reflectionpad${n}d`]: one(() => t[`reflectionPad${n}d`]([0, 1, 2, 3, 4, 5].slice(0, 2 * n))),
  [`replicationpad${n}d`]: one(() => t[`replicationPad${n}d`](2)),
  [`circularpad${n}d`]: one(() => t[`circularPad${n}d`](1)),
});

const blocks = {
  residual: () =>
    t.sequential([
      t.residual(
        { conv: t.conv2d(3, 4, 3, { padding: 1 }), bn: t.batchNorm2d(4) },
        { shortcut: { down: t.conv2d(3, 4, 1) }, after: t.relu() },
      ),
    ]),
  residual_plain: () => t.sequential([t.residual({ fc: t.linear(6, 6) })]),
};
const branches = () => ({
  near: t.conv2d(3, 4, 1),
  wide: t.sequential([t.conv2d(3, 4, 3, { padding: 1 }), t.relu()]),
});

export const poolingLayers = {
  ...ofAxes(1),
  ...ofAxes(2),
  ...ofAxes(3),
  maxpool2d_pairs: one(() => t.maxPool2d([3, 2], { stride: [2, 1], padding: [1, 0] })),
  avgpool2d_divisor: one(() => t.avgPool2d([3, 2], { stride: [2, 1], padding: [1, 0], divisorOverride: 2 })),
  lppool2d_all: one(() => t.lpPool2d(4, [2, 3], { stride: 2, ceilMode: true })),
  adaptiveavgpool2d_kept: one(() => t.adaptiveAvgPool2d([null, 4])),
  adaptivemaxpool2d_kept: one(() => t.adaptiveMaxPool2d([4, null])),
  zeropad2d_cut: one(() => t.zeroPad2d([-1, 2, 0, -2])),
  upsample1d: one(() => t.upsample({ scaleFactor: [2] })),
  upsample1d_linear: one(() => t.upsample({ size: [20], mode: 'linear' })),
  upsample2d: one(() => t.upsample({ scaleFactor: [2, 1.5] })),
  upsample2d_size: one(() => t.upsample({ size: [5, 20], mode: 'bilinear' })),
  upsample2d_bilinear: one(() => t.upsample({ scaleFactor: [2, 1.5], mode: 'bilinear', alignCorners: true })),
  upsample2d_bicubic: one(() => t.upsample({ scaleFactor: [2, 2], mode: 'bicubic' })),
  upsample3d: one(() => t.upsample({ size: [3, 4, 5] })),
  upsample3d_trilinear: one(() => t.upsample({ scaleFactor: [2, 2, 2], mode: 'trilinear' })),
  unfold: one(() => t.unfold(3)),
  unfold_all: one(() => t.unfold([3, 2], { dilation: [1, 2], padding: [1, 0], stride: 2 })),
  fold: after(96, () => t.fold([8, 12], 3, { padding: 1 })),
  pixelshuffle: after(6, () => t.pixelShuffle(2)),
  pixelunshuffle: after(6, () => t.pixelUnshuffle(2)),
  channelshuffle: after(6, () => t.channelShuffle(2)),
  flatten: after(6, () => t.flatten()),
  flatten_axes: after(6, () => t.flatten(1, 2)),
  unflatten: after(6, () => t.unflatten(1, [2, -1])),
  identity: after(6, () => t.identity()),
  ...blocks,
  concatenate: () => t.sequential([t.concatenate(branches())]),
  concatenate_rows: () => t.sequential([t.concatenate(branches(), { dim: 2 })]),
};
