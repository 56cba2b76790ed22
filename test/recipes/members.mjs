// Throw-away members of families, as a reader of nothing but CONTRIBUTING's recipes would write them. Each has the
// text of every file of its recipe, by the file's room, and the line about it for docs/api.md.
import { metric, optimizer, scheduler } from './training-members.mjs';

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
