// Makes the context of a learner, and checks that settings, model and state fit each other.
import { own } from '../core/checks';
import { LearnError } from '../core/errors';
import {
  holdsIndices,
  type InputForm,
  ignoredToken,
  sizeOf,
  type TargetForm,
  valueArrays,
} from '../core/sample-values';
import { openDataset } from '../datasets';
import { arrays } from '../datasets/arrays';
import { type LossPlan, lossPlan } from '../losses/plan';
import { sumsOf } from '../metrics';
import { predictionForm } from '../metrics/metric';
import { checkRunning } from '../metrics/running';
import { checkState } from '../models/recognise';
import { runJob } from '../native/job';
import { native } from '../native/native';
import { programHandle } from '../native/programs';
import { optimizerGroups } from '../optimizers/parameter-groups';
import { type Model, node, value } from '../program/module';
import { everyNode } from '../program/program';
import { withFrozenStatistics } from '../program/statistics';
import { statisticsIn, writesInto } from '../program/writes';
import { classNamesOf } from '../state/class-names';
import { type State, stateHandle } from '../state/state';
import { checkEvaluates, checkLargestBatch } from '../training/batch-sizes';
import { inputOrder } from '../training/inputs';
import { predictOf } from '../training/predict';
import { withoutDraws } from '../transforms';
import type { ContextMaker, LearnerContext } from './context';
import { looksUp } from './failing-samples';
import { bytesOfSample, inputsOf } from './sample-form';
import type { Settings } from './settings';

/** The part of a context that belongs to this process and is recorded nowhere. */
type Fixed = Pick<LearnerContext, 'gate' | 'files' | 'niceness' | 'allowOperators'>;

export function contextMaker(fixed: Fixed): ContextMaker {
  return (settings, model, state) => makeContext(fixed, settings, model, state);
}

async function makeContext(fixed: Fixed, settings: Settings, model: Model, state: State): Promise<LearnerContext> {
  checkState(model, state);
  checkEvaluates(model, 'A learner, which scores samples before it learns them,');
  checkKeepsAll(model);
  checkLargestBatch(model, settings.batchSize + (settings.replay.capacity > 0 ? settings.replay.perUpdate : 0));
  const { inputs, transforms } = inputsOf(settings, model);
  const scoring = inputs.map(({ shape }, i) => withoutDraws(transforms[i]!, shape));
  const order = inputOrder(model, inputs, transforms);
  const { target, batchSize } = settings;
  checkBatch(bytesOfSample({ inputs, target, classes: 0 }), batchSize);
  const { optimizer, parameterGroups, frozenStatistics } = settings;
  const groups = optimizerGroups(model.program.parameters, optimizer, parameterGroups);
  const program = await programHandle(withFrozenStatistics(model.program, frozenStatistics), fixed.allowOperators);
  const loss = lossPlan(settings.loss, model);
  checkLoss(loss, target);
  const context = {
    ...{ ...fixed, model, settings, groups, loss, scoring, transforms, order, program },
    ...{ looksUp: looksUp(model.program), classNames: classNamesOf(state), predicting: predictingModel(model, loss) },
  };
  const classes = classesOf(await outputsOf(context, inputs, state), target, model);
  const sample = { inputs, target, classes };
  checkRunning(settings.metrics, predictionForm(sample));
  const made = { ...context, sample, sums: sumsOf(settings.metrics) };
  await tryLoss(made, state);
  return made;
}

/** Computes the loss of one sample of zeros. Throws ERR_SHAPE if it does not take such outputs and targets: no update could. */
async function tryLoss(
  { program, settings, loss, scoring, order, sample }: LearnerContext,
  state: State,
): Promise<void> {
  const { inputs, target, classes } = sample;
  const hasClasses = holdsIndices(target.kind);
  const zeros = inputs.map(({ name, dtype, shape }) => [name, { data: new valueArrays[dtype](sizeOf(shape)), shape }]);
  const data = new (hasClasses ? Int32Array : Float32Array)(sizeOf(target.shape));
  const dataset = await openDataset(
    arrays({ inputs: Object.fromEntries(zeros), targets: { ...target, data }, ...(hasClasses && { classes }) }),
  );
  const { threads } = settings;
  try {
    const plan = { program, state: stateHandle(state), dataset, order, transforms: scoring, loss, threads, sums: [] };
    await runJob(() => native().evaluate({ ...plan, batchSize: 1, device: 'cpu' }), {});
  } finally {
    native().disposeDataset(dataset);
  }
}

/** Throws if the model remembers something that is no part of its state: neither a snapshot nor a version would have it. */
function checkKeepsAll({ name, program }: Model): void {
  const constants = new Set((own(program, 'constants') ?? []).map((constant) => constant.name));
  const nodes = everyNode(program.nodes);
  const [found] = [...writesInto(nodes, constants), ...statisticsIn(nodes, constants)];
  if (!found) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `A learner, which resumes with the same bits, cannot take ${name}: ${found.node.op} changes "${found.name}", which is no part of its ` +
      'state. In Python, register that buffer with persistent=True and export the model again',
  );
}

/** Throws unless the loss has a value for each sample, of predictions that have the form of targets. */
function checkLoss(
  { kind, outputs, targets, takesSigns, each, ignoredIndex }: LossPlan,
  { kind: wanted }: TargetForm,
): void {
  const refuse = (why: string) =>
    new LearnError('ERR_INVALID_OPTION', `A learner cannot take the loss ${kind}(): ${why}; choose another loss`);
  if (!each) throw refuse('it has no loss of a single sample, by which samples are scored and judged');
  const taken = targets.find((target) => target.kind === wanted);
  // The addon refuses the kind of the targets.
  if (!taken && targets.length > 0) return;
  const axes = outputs[0]!.axes;
  const hasForm = taken && (holdsIndices(wanted) ? axes.includes('classes') : String(axes) === String(taken.axes));
  if (!hasForm || takesSigns) throw refuse("its outputs are not predictions of a sample's target");
  if (wanted === 'tokens' && ignoredIndex !== ignoredToken) {
    const text = `Expected ignoreIndex: ${ignoredToken}, which a learner's tokens have where they count as no class, for "loss"`;
    throw new LearnError('ERR_INVALID_OPTION', `${text} but it is ${ignoredIndex}`);
  }
}

/** The model with another output where the loss takes one whose classes are the last axis. */
function predictingModel(model: Model, { outputs: [first] }: LossPlan): LearnerContext['predicting'] {
  const { index, axes } = first!;
  if (axes.indexOf('classes') < 2) return { model, output: index };
  const { nodes, outputs } = model.program;
  const name = 'output with classes second';
  const moved = node('movedim', 'int', { self: value(outputs[index]!), source: -1, destination: 1 }, name);
  const program = { ...model.program, nodes: [...nodes, moved], outputs: [...outputs, name] };
  return { model: { ...model, program }, output: outputs.length };
}

/** A batch is one record of the journal, whose length has 32 bits. */
function checkBatch(bytes: number, batchSize: number): void {
  const most = Math.floor(2 ** 31 / bytes);
  if (batchSize <= most) return;
  throw new LearnError(
    'ERR_INVALID_OPTION',
    `Expected a "batchSize" of at most ${most} samples of ${bytes} bytes, which are 2 GiB, but received ${batchSize}`,
  );
}

/** The shape of the model's outputs for one sample of zeros, the axis of samples first. */
async function outputsOf(
  { predicting, settings, scoring, order, allowOperators }: Omit<LearnerContext, 'sample' | 'sums'>,
  form: readonly InputForm[],
  state: State,
): Promise<readonly number[]> {
  const zeros = form.map(({ dtype, shape }) => new valueArrays[dtype](sizeOf(shape)));
  const { shape } = await predictOf(state, zeros, {
    ...{ ...predicting, form, transforms: scoring, order, threads: settings.threads, allowOperators, device: 'cpu' },
  });
  return shape;
}

/** The number of classes of the targets; 0 if they are no indices of classes. Throws ERR_SHAPE unless the outputs fit the targets. */
function classesOf(outputs: readonly number[], { kind, shape }: TargetForm, model: Model): number {
  const hasClasses = holdsIndices(kind);
  const classes = hasClasses ? outputs[1] : 0;
  const expected = hasClasses ? [1, classes, ...shape] : [1, ...shape];
  if (classes !== undefined && String(outputs) === String(expected)) return classes;
  // One number for each sample, as a layer returns it.
  if (!hasClasses && shape.length === 0 && String(outputs) === '1,1') return 0;
  const sides = hasClasses ? ['samples', 'classes', ...shape] : ['samples', ...shape];
  const given = ['samples', ...outputs.slice(1)];
  throw new LearnError(
    'ERR_SHAPE',
    `Expected outputs of the shape [${sides.join(', ')}] for targets of the kind '${kind}' but those of ${model.name} are ` +
      `[${given.join(', ')}]; the option "target" has the kind and the shape of targets`,
  );
}
