// Makes the context of a learner, and checks that settings, model and state fit each other.
import { LearnError } from '../core/errors';
import { sizeOf, valueArrays } from '../core/sample-values';
import { checkState } from '../models/recognise';
import { type Model, sampleShape } from '../program/module';
import type { State } from '../state/state';
import { predict } from '../training/evaluate';
import { checkSamples, programHandle } from '../training/run';
import { type Transform, withoutDraws } from '../transforms';
import type { ContextMaker, LearnerContext } from './context';
import type { Settings } from './options';

/** The part of a context that belongs to this process and is recorded nowhere. */
type Fixed = Pick<LearnerContext, 'gate' | 'files' | 'niceness' | 'allowOperators'>;

export function contextMaker(fixed: Fixed): ContextMaker {
  return (settings, model, state) => makeContext(fixed, settings, model, state);
}

async function makeContext(fixed: Fixed, settings: Settings, model: Model, state: State): Promise<LearnerContext> {
  checkState(model, state);
  const shape = shapeOf(model, settings);
  const scoring = withoutDraws(settings.transforms, shape);
  checkSamples(model, shape, settings.transforms);
  checkBatch(shape, settings);
  return {
    ...{ ...fixed, model, settings, scoring, shape, program: programHandle(model.program, fixed.allowOperators) },
    classes: await classesOf(model, state, shape, settings, scoring, fixed.allowOperators),
  };
}

/** A batch is one record of the journal, whose length has 32 bits. */
function checkBatch(shape: readonly number[], { batchSize, inputs }: Settings): void {
  const bytes = sizeOf(shape) * valueArrays[inputs].BYTES_PER_ELEMENT;
  const most = Math.floor(2 ** 31 / Math.max(1, bytes));
  if (batchSize <= most) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected a "batchSize" of at most ${most} samples of ${bytes} bytes, which are 2 GiB, but received ${batchSize}`,
  );
}

function shapeOf(model: Model, settings: Settings): readonly number[] {
  const shape = settings.shape.length > 0 ? settings.shape : sampleShape(model);
  if (shape) return shape;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected the option "shape": ${model.name} does not fix the shape of a sample`,
  );
}

/** The model's number of outputs. */
async function classesOf(
  model: Model,
  state: State,
  shape: readonly number[],
  { inputs, threads }: Settings,
  transforms: readonly Transform[],
  allowOperators: readonly string[],
): Promise<number> {
  const zeros = new valueArrays[inputs](sizeOf(shape));
  const { logits } = await predict(state, zeros, {
    ...{ model, shape, transforms, threads, allowOperators },
    device: 'cpu',
  });
  return logits.length;
}
