// Loads the archives of torch.export.save: a model, and its state.

import { dtypes } from '../checkpoint/dtypes';
import { formatError } from '../checkpoint/errors';
import { checkOptions, isListOf, isPath, isSignal, isText } from '../core/checks';
import { fromNative, fromNativeSync } from '../core/errors';
import type { StateHandle } from '../native/handles';
import { native } from '../native/native';
import { programHandle } from '../native/programs';
import type { ReadPlan } from '../native/state-plans';
import type { Model } from '../program/module';
import { modulesOf } from '../state/create';
import { makeState, type State } from '../state/state';
import { warnOfEvaluation } from '../state/warnings';
import { type Pt2Archive, withArchive } from './archive';
import type { ExportedProgram, ProgramTensor } from './graph';
import { maxConstantBytes, maxRepeatedBytes } from './limits';
import { type ProgramSource, toModel } from './model';
import { readOrigin, rememberOrigin } from './origin';
import { readProgram } from './program';
import { mapInTurns } from './turns';

/** Options of {@link loadModel}. */
export interface LoadModelOptions {
  /**
   * The program of an archive of several, by its name in package_pt2(). Default: the only one; of two that are called 'train' and 'eval'
   * the first trains and the second evaluates.
   */
  program?: string;
  /**
   * Operators beyond those that a model may use, such as `['aten::as_strided']`, for a file that you trust. Runs need the same option.
   * Default: none.
   */
  allowOperators?: readonly string[];
  /** Rejects with its reason when it is aborted. */
  signal?: AbortSignal;
}

/** What {@link loadModel} resolves with. */
export interface LoadedModel {
  model: Model;
  /** Its weights. */
  state: State;
}

/**
 * Loads a model that Python exported: an archive of `torch.export.save()` of torch 2.6 to 2.13. Nothing of the file is run: its program is
 * made of operators that a list allows. Throws ERR_STATE_FORMAT, naming the module and its line, for what cannot be read or trained.
 *
 * @example
 * ```ts
 * const { model, state } = await loadModel('model.pt2');
 * const trained = await trainIncremental(state, { model, data: cifar10({ root: './data' }) });
 * await saveModel('updated.pt2', { model, state: trained.state });
 * ```
 */
export async function loadModel(path: string, given: LoadModelOptions = {}): Promise<LoadedModel> {
  isPath(path, 'path');
  const { program, allowOperators, signal } = checkOptions('loadModel', given, {
    ...{ program: isText, allowOperators: isListOf(isText), signal: isSignal },
  });
  signal?.throwIfAborted();
  return withArchive(path, (archive) => load(archive, program, allowOperators), signal);
}

async function load(
  archive: Pt2Archive,
  name: string | undefined,
  allowOperators: readonly string[] | undefined,
): Promise<LoadedModel> {
  const [train, evaluation] = await programsOf(archive, name);
  const handles = await read(archive, train!, evaluation);
  try {
    const sources = await sourcesOf(archive, [train!, evaluation], handles);
    const { model, isEvaluation } = await toModel(sources[0]!, sources[1]);
    await programHandle(model.program, allowOperators);
    rememberOrigin(model, await readOrigin(archive, evaluation ? [train!, evaluation] : [train!]));
    if (isEvaluation) warnOfEvaluation(archive.file.path);
    return { model, state: makeState(handles.shift()!, modulesOf(model)) };
  } finally {
    for (const handle of handles) native().disposeState(handle);
  }
}

/** The program that trains, and the one that evaluates if there is one. */
export async function programsOf(archive: Pt2Archive, name?: string): Promise<ExportedProgram[]> {
  const isPair = name === undefined && ['train', 'eval'].every((each) => archive.programs.includes(each));
  if (!isPair) return [await readProgram(archive, name)];
  return [await readProgram(archive, 'train'), await readProgram(archive, 'eval')];
}

/** Reads the state of the program that trains, and the other tensors of each program. */
async function read(archive: Pt2Archive, train: ExportedProgram, evaluation?: ExportedProgram): Promise<StateHandle[]> {
  const storages: ReadPlan['storages'] = [];
  const places = new Map<ExportedProgram['storages'][number], number>();
  const tensorOf = async (name: string, tensor: ProgramTensor, program: ExportedProgram) => {
    const stored = program.storages[tensor.storage]!;
    if (!tensor.persistent) checkSize(name, tensor, stored.bytes);
    const known = places.get(stored) ?? storages.push(await stored.place()) - 1;
    places.set(stored, known);
    const { dtype, shape, stride, offset } = tensor;
    return { name, dtype, shape: [...shape], stride: [...stride], offset, storage: known };
  };
  const { signal, file } = archive;
  const state = await mapInTurns(
    train.state,
    ({ name, tensor }) => tensorOf(name, train.tensors[tensor]!, train),
    signal,
  );
  const parts = [state];
  for (const program of evaluation ? [train, evaluation] : [train]) {
    parts.push(await mapInTurns(others(program), (tensor) => tensorOf(tensor.names[0]!, tensor, program), signal));
  }
  const plan = { path: file.path, descriptor: file.descriptor, fileBytes: file.size, storages, parts };
  const handles = await fromNative(() => native().readState(plan));
  try {
    signal?.throwIfAborted();
    await file.checkUnchanged();
    return handles;
  } catch (cause) {
    for (const handle of handles) native().disposeState(handle);
    throw cause;
  }
}

/** Constants are copied into the model, where a tensor of few stored elements that repeats them would need memory for all. */
function checkSize(name: string, { dtype, shape }: ProgramTensor, stored: number): void {
  const bytes = shape.reduce((product, size) => product * size, dtypes[dtype].bytes);
  const most = Math.min(Math.max(stored, maxRepeatedBytes), maxConstantBytes);
  if (bytes > most)
    throw formatError(
      `The constant ${JSON.stringify(name)} of shape [${shape}] has ${bytes} bytes, more than the ${most} that it may have; make it a parameter ` +
        'that needs no gradient, or compute it in forward()',
    );
}

/** Tensors that are no part of the state: constants, and buffers that are not saved. */
export function others({ tensors }: ExportedProgram): ProgramTensor[] {
  return tensors.filter(({ persistent }) => !persistent);
}

async function sourcesOf(
  { signal }: Pt2Archive,
  programs: readonly (ExportedProgram | undefined)[],
  [, ...handles]: readonly StateHandle[],
): Promise<ProgramSource[]> {
  const sources: ProgramSource[] = [];
  for (const [i, program] of programs.entries()) {
    if (!program) continue;
    const bytesOf = (index: number) =>
      Buffer.from(fromNativeSync(() => native().stateTensor(handles[i]!, index))).toString('base64');
    const entries = await mapInTurns(others(program), (tensor, k) => [tensor, bytesOf(k)] as const, signal);
    sources.push({ program, elements: new Map(entries) });
  }
  return sources;
}
