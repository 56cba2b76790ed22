// The models of the trials. bench/reference/models.py has the same with the same names, so that one checkpoint fits both.
import {
  adaptiveAvgPool2d,
  batchNorm2d,
  conv2d,
  flatten,
  linear,
  maxPool2d,
  net,
  relu,
  residual,
  sequential,
} from 'torch-incremental';

const convolution = (from, to, stride = 1) => conv2d(from, to, 3, { stride, padding: 1, bias: false });

/** Three convolutions with batch norm, ReLU and pooling between. */
function cnn() {
  return sequential(
    {
      ...{ conv1: convolution(3, 32), bn1: batchNorm2d(32), relu1: relu(), pool1: maxPool2d(2) },
      ...{ conv2: convolution(32, 64), bn2: batchNorm2d(64), relu2: relu(), pool2: maxPool2d(2) },
      ...{ conv3: convolution(64, 128), bn3: batchNorm2d(128), relu3: relu() },
      flatten: flatten(),
      fc: linear(128 * 8 * 8, 10),
    },
    { input: [3, 32, 32], name: 'cnn' },
  );
}

/** ResNet-18 for 32x32 images with a quarter of its widths: eight blocks of two convolutions. */
function resnet() {
  const layers = { conv1: convolution(3, 16), bn1: batchNorm2d(16), relu1: relu() };
  let width = 16;
  for (const [stage, to] of [16, 32, 64, 128].entries()) {
    for (const block of [0, 1]) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const name = `block${stage}${block}`;
      const down = { down: conv2d(width, to, 1, { stride, bias: false }), downbn: batchNorm2d(to) };
      layers[name] = residual(
        {
          ...{ conv1: convolution(width, to, stride), bn1: batchNorm2d(to), relu1: relu() },
          ...{ conv2: convolution(to, to), bn2: batchNorm2d(to) },
        },
        stride === 1 ? {} : { shortcut: down },
      );
      layers[`${name}relu`] = relu();
      width = to;
    }
  }
  return sequential(
    { ...layers, pool: adaptiveAvgPool2d(1), flatten: flatten(), fc: linear(128, 10) },
    { input: [3, 32, 32], name: 'resnet' },
  );
}

/** One hidden layer of `width`: nearly all of its parameters are in one matrix. */
function hidden(width) {
  return sequential(
    { flatten: flatten(), fc1: linear(3072, width), relu: relu(), fc2: linear(width, 10) },
    { input: [3, 32, 32], name: `hidden${width}` },
  );
}

const models = { net, cnn, resnet };

/** The model called `name`: net, cnn, resnet, or hidden and a number. */
export function modelNamed(name) {
  const [, width] = /^hidden(\d+)$/.exec(name) ?? [];
  return width ? hidden(Number(width)) : models[name]();
}
