// Numbers of samples that a model takes at a time: an exported program may have been made for some only.

import { own } from '../core/checks';
import { LearnError } from '../core/errors';
import type { Model } from '../program/module';
import { limitsOf } from '../program/program';

/** Samples of a batch where no option says how many. */
export function usualBatchSize({ program }: Model): number {
  return Math.min(64, limitsOf(own(program, 'batch')).max);
}

/** Throws ERR_SHAPE where a forward pass would get more samples than the model takes. Of fewer it makes as many as it takes. */
export function checkLargestBatch(model: Model, batchSize: number): void {
  const { max } = limitsOf(own(model.program, 'batch'));
  if (batchSize > max) throw refused(model, batchSize, 'Use a smaller batchSize, or export');
}

/** Throws ERR_SHAPE where training would make a batch that the model does not take, such as a last one of a single sample. */
export function checkTrainingBatches(
  model: Model,
  { samples, batchSize, dropLast }: { samples: number; batchSize: number; dropLast: boolean },
): void {
  const { min, max } = limitsOf(own(model.program, 'batch'));
  const first = Math.min(batchSize, samples);
  if (first < min || first > max) throw refused(model, first, 'Use another batchSize, or export');
  const rest = dropLast ? 0 : samples % batchSize;
  if (rest > 0 && rest < min)
    throw refused(model, rest, `Leave out the last batch with dropLast: true, or use another batchSize, or export`);
}

function refused({ name, program }: Model, found: number, advice: string): LearnError {
  const { min, max } = limitsOf(own(program, 'batch'));
  const range = max === Infinity ? `${min} or more` : min === max ? String(min) : `${min} to ${max}`;
  return new LearnError(
    'ERR_SHAPE',
    `Expected batches of ${range} samples for ${name}, which was exported for these, but one would have ${found}. ${advice} the model ` +
      "with dynamic_shapes that name its axis of samples: Dim('batch', min=2)",
  );
}

/** Throws ERR_INVALID_OPTION where the model's program only trains. `use`: what needs it to evaluate. */
export function checkEvaluates({ name, program }: Model, use: string): void {
  const trainsOnly = own(program, 'trainsOnly');
  if (trainsOnly === undefined) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `${use} needs a program of ${name} that evaluates, which does not follow from the one that trains: ${trainsOnly}. Export both into one ` +
      "file: package_pt2('model.pt2', exported_programs={'train': export(model.train(), …), 'eval': export(model.eval(), …)})",
  );
}
