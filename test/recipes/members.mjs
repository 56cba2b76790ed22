// Throw-away members of families, as a reader of nothing but CONTRIBUTING's recipes would write them. Each has the
// text of every file of its recipe, by the file's room, and the line about it for docs/api.md.

const layer = {
  name: 'doubled',
  file: 'doubled',
  files: {
    'lib/layers': `// A throw-away layer.
import { leaf, type Module, node, value } from '../program/module';

/** Twice its input. */
export function doubled(): Module {
  return leaf('Doubled', [node('add', 'Tensor', { self: value('input'), other: value('input') })]);
}
`,
  },
  documented: '| `doubled()` | twice its input |',
};

const detector = {
  name: 'tooMany',
  file: 'too-many',
  entry: 'tooManyKind',
  files: {
    'lib/detectors': `// A throw-away detector.
import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';
import type { DetectorKind } from './detector';

export interface TooMany {
  readonly kind: 'tooMany';
  readonly most: number;
}

/** A drift where \`most\` numbers, by default 3, were above 0. */
export function tooMany(options: { most?: number } = {}): TooMany {
  const { most = 3 } = checkOptions('tooMany', options, { most: isNumber({ integer: true, min: 1 }) });
  return member({ kind: 'tooMany', most });
}

export const tooManyKind: DetectorKind<TooMany> = {
  start({ most }, saved) {
    let count = (saved as number | undefined) ?? 0;
    return {
      update(value) {
        if (value > 0) count++;
        return count > most ? 'drift' : 'none';
      },
      toJSON: () => count,
    };
  },
};
`,
  },
  documented: '| `tooMany(options?)` | a throw-away detector | `most` 3 |',
};

const transform = {
  name: 'halfTurn',
  file: 'half-turn',
  entry: 'halfTurned',
  files: {
    'lib/transforms': `// A throw-away transform.
import { checkNumbers } from '../core/checks';
import { member } from '../core/family';
import { neverInScoring } from './transform';

export interface HalfTurn {
  readonly kind: 'halfTurn';
  readonly p: number;
}

/** Turns by 180 degrees with probability \`p\`. */
export function halfTurn(p = 0.5): HalfTurn {
  checkNumbers('halfTurn', { p }, { min: 0, max: 1 });
  return member({ kind: 'halfTurn', p });
}

export const halfTurned = { make: halfTurn, positional: ['p'], ...neverInScoring } as const;
`,
    'src/transforms': `// A throw-away transform.
#include <algorithm>

#include "src/core/random.h"
#include "src/transforms/geometry.h"

namespace incremental {
namespace {

class HalfTurn : public Geometry {
 public:
  explicit HalfTurn(const Transform& transform) : probability_(numbers_of(transform, 1)[0]) {}

  size_t count() const override { return 1; }

  void draw(at::CPUGeneratorImpl& generator, double* drawn) const override {
    *drawn = draw_uniform(generator) < probability_;
  }

  void apply(const double* drawn, PixelMap& map) const override {
    if (*drawn != 0) std::reverse(map.positions(), map.positions() + map.size().pixels());
  }

  FixedAffine affine(const double* drawn, ImageSize from) const override {
    constexpr int32_t kOne = 1 << 16;
    if (*drawn == 0) return {kOne, 0, 0, 0, kOne, 0};
    return {-kOne, 0, static_cast<int32_t>(from.width - 1) * kOne, 0, -kOne, static_cast<int32_t>(from.height - 1) * kOne};
  }

 private:
  double probability_;
};

}  // namespace

std::unique_ptr<Geometry> make_half_turn(const Transform& transform, ImageSize&) {
  return std::make_unique<HalfTurn>(transform);
}

}  // namespace incremental
`,
  },
  documented: '| `halfTurn(p = 0.5)` | a throw-away transform |',
};

const loss = {
  name: 'quarticLoss',
  file: 'quartic-loss',
  entry: 'fourthPower',
  files: {
    'lib/losses': `// A throw-away loss.
import { member } from '../core/family';
import { node, value } from '../program/module';
import { everyNumber, type LossFragment, lossOptions, type OneOutputOptions, oneOutput } from './fragment';

export interface QuarticLoss extends Readonly<Required<OneOutputOptions>> {
  readonly kind: 'quarticLoss';
}

const options = lossOptions<Required<OneOutputOptions>>(oneOutput);

/** (output - target)⁴. */
export function quarticLoss(given: OneOutputOptions = {}): QuarticLoss {
  return member({ kind: 'quarticLoss', ...options('quarticLoss', given) });
}

function fragment({ output, reduction }: QuarticLoss): LossFragment {
  const losses = [
    node('sub', 'Tensor', { self: value('output'), other: value('target') }, 'difference'),
    node('pow', 'Tensor_Scalar', { self: value('difference'), exponent: 4 }, 'losses'),
  ];
  return {
    ...{ reduction, outputs: [{ name: 'output', output, axes: everyNumber }] },
    targets: [{ kind: 'values', axes: everyNumber }],
    nodes: (how) => (how === 'none' ? losses : [...losses, node(how, '', { self: value('losses') }, 'loss')]),
  };
}

export const fourthPower = { make: quarticLoss, fragment } as const;
`,
  },
  documented: "| `quarticLoss(options?)` | a throw-away loss | `output` 0, `reduction` `'mean'` |",
};

const optimizer = {
  name: 'signDescent',
  file: 'sign-descent',
  entry: 'descentBySigns',
  files: {
    'lib/optimizers': `// A throw-away optimizer.
import { member } from '../core/family';
import { amount, torchOptions } from './torch-options';

export interface SignDescentOptions {
  learningRate?: number;
}

export interface SignDescent extends Readonly<Required<SignDescentOptions>> {
  readonly kind: 'signDescent';
}

const options = torchOptions<Required<SignDescentOptions>>({ learningRate: amount('lr', 0.5) }, ['lr']);

/** Moves each weight by \`learningRate\`, by default 0.5, against the sign of its gradient. */
export function signDescent(given: SignDescentOptions = {}): SignDescent {
  return member({ kind: 'signDescent', ...options.checked('signDescent', given) });
}

export const descentBySigns = {
  ...{ make: signDescent, recorded: signDescent, torchName: 'SignDescent', ...options.form, slots: {} },
} as const;
`,
    'src/optimizers': `// A throw-away optimizer.
#include <memory>
#include <vector>

#include "src/optimizers/by_parameter.h"
#include "src/optimizers/members.h"

namespace incremental {
namespace {

class SignDescent : public ByParameter {
 public:
  SignDescent(const std::vector<at::Tensor>& parameters, const Choice& choice)
      : ByParameter(parameters, {}, /*maximize=*/false), learning_rate_(choice.number("learningRate")) {}

 private:
  void update(const at::Tensor& parameter, at::Tensor gradient, std::vector<at::Tensor>&) const override {
    parameter.sub_(gradient.sign(), learning_rate_);
  }

  double learning_rate_;
};

}  // namespace

std::unique_ptr<Optimizer> make_sign_descent(const Choice& choice, const std::vector<at::Tensor>& parameters, bool) {
  return std::make_unique<SignDescent>(parameters, choice);
}

}  // namespace incremental
`,
  },
  documented: '| `signDescent(options?)` | a throw-away optimizer | `learningRate` 0.5 |',
};

const metric = {
  name: 'errorRate',
  file: 'error-rate',
  entry: 'shareOfWrong',
  files: {
    'lib/metrics': `// A throw-away metric.
import { checkOptions, isNumber } from '../core/checks';
import { member } from '../core/family';
import { type MetricKind, ofLabels } from './metric';
import { classCounts, countsIn } from './sums/class-counts';

export interface ErrorRate {
  readonly kind: 'errorRate';
  readonly scale: number;
}

/** The share of wrong predictions, times \`scale\`, by default 100. */
export function errorRate(options: { scale?: number } = {}): ErrorRate {
  const { scale = 100 } = checkOptions('errorRate', options, { scale: isNumber() });
  return member({ kind: 'errorRate', scale });
}

export const shareOfWrong = {
  make: errorRate,
  targets: ofLabels,
  sums: () => classCounts,
  result(state, { scale }) {
    const { right, predictions } = countsIn(state);
    return scale * (1 - right / predictions);
  },
} as const satisfies MetricKind<ErrorRate>;
`,
  },
  documented: '| `errorRate(options?)` | a throw-away metric | `scale` 100 |',
};

const scheduler = {
  name: 'halvingLR',
  file: 'halving-lr',
  entry: 'halving',
  files: {
    'lib/schedulers': `// A throw-away scheduler.
import { member } from '../core/family';
import { type Every, every, schedulerOptions } from './torch-form';

export interface HalvingLR {
  readonly kind: 'halvingLR';
  readonly every: Every;
}

const options = schedulerOptions<{ every: Every }>({ every: every('epoch') });

/** Halves the learning rate at each step. */
export function halvingLR(given: { every?: Every } = {}): HalvingLR {
  return member({ kind: 'halvingLR', ...options.checked('halvingLR', given) });
}

export const halving = options.form('HalvingLR', halvingLR);
`,
    'src/schedulers': `// A throw-away scheduler.
#include <memory>
#include <vector>

#include "src/schedulers/members.h"

namespace incremental {
namespace {

class HalvingLR : public RateScheduler {
 public:
  explicit HalvingLR(Groups& groups) : RateScheduler(groups) {}

 private:
  std::vector<double> next_rates() override { return is_initial_ ? rates() : scaled(0.5); }
};

}  // namespace

std::unique_ptr<Scheduler> make_halving_lr(const Choice&, Groups& groups) {
  return std::make_unique<HalvingLR>(groups);
}

}  // namespace incremental
`,
  },
  documented: "| `halvingLR(options?)` | a throw-away scheduler | `every` 'epoch' |",
};

/** By what CONTRIBUTING calls them. */
export const members = {
  'a layer': layer,
  'a drift detector': detector,
  'a loss': loss,
  'a metric': metric,
  'a scheduler': scheduler,
  'a transform': transform,
  'an optimizer': optimizer,
};
