// Native programs.
import { own } from '../core/checks';
import { fromNative, fromNativeSync } from '../core/errors';
import { TimeSlice } from '../core/time-slice';
import type { Program } from '../program/program';
import type { ProgramDraftHandle, ProgramHandle } from './handles';
import { native } from './native';

/** Native programs of programs that were used before, by the operators that were allowed beyond the list: to make one takes long. */
const programs = new WeakMap<Program, Map<string, Promise<ProgramHandle>>>();

/** Rejects where the program names an operator that is neither in the list of src/program/allowed_operators.cc nor in `allow`. */
export function programHandle(program: Program, allow: readonly string[] = []): Promise<ProgramHandle> {
  const known = programs.get(program) ?? new Map<string, Promise<ProgramHandle>>();
  programs.set(program, known);
  const key = JSON.stringify([...allow].sort());
  const found = known.get(key);
  if (found) return found;
  const made = makeProgram(program, allow);
  known.set(key, made);
  made.catch(() => known.delete(key));
  return made;
}

/** Nodes that are added between two looks at the clock: each takes some microseconds. */
const nodesAtOnce = 16;

async function makeProgram(program: Program, allow: readonly string[]): Promise<ProgramHandle> {
  const slice = new TimeSlice();
  const draft = begin(program);
  for (let first = 0; first < program.nodes.length; first += nodesAtOnce) {
    const nodes = program.nodes.slice(first, first + nodesAtOnce);
    fromNativeSync(() => native().addNodes(draft, nodes));
    if (slice.isOver) await slice.rest();
  }
  return fromNative(() => native().finishProgram(draft, allow));
}

function begin(program: Program): ProgramDraftHandle {
  const constants = own(program, 'constants');
  if (constants === undefined) return fromNativeSync(() => native().beginProgram(program, null));
  const elements = fromNativeSync(() =>
    native().makeState(constants.map(({ data, ...form }) => ({ ...form, bytes: Buffer.from(data, 'base64') }))),
  );
  try {
    return fromNativeSync(() => native().beginProgram(program, elements));
  } finally {
    native().disposeState(elements);
  }
}
