// Throw-away members of the families that a training is made of, for members.mjs.

export const optimizer = {
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

  void set_options(const Choice& choice) override { learning_rate_ = choice.number("learningRate"); }

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

export const metric = {
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

export const scheduler = {
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
