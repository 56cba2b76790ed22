// Native programs.
import { own } from '../core/checks';
import { fromNativeSync } from '../core/errors';
import type { Program } from '../program/program';
import type { ProgramHandle } from './handles';
import { native } from './native';

/** Native programs of programs that were used before: to make one takes as long as the prediction of a sample. */
const programs = new WeakMap<Program, ProgramHandle>();

/** Throws where the program names an operator that is neither in the list of src/program/allowed_operators.cc nor in `allow`. */
export function programHandle(program: Program, allow: readonly string[] = []): ProgramHandle {
  // Not remembered, so that another call allows only what it names itself.
  if (allow.length > 0) return makeProgram(program, allow);
  const known = programs.get(program) ?? makeProgram(program, []);
  programs.set(program, known);
  return known;
}

function makeProgram(program: Program, allow: readonly string[]): ProgramHandle {
  const constants = own(program, 'constants');
  if (constants === undefined) return fromNativeSync(() => native().makeProgram(program, allow, null));
  const elements = fromNativeSync(() =>
    native().makeState(constants.map(({ data, ...form }) => ({ ...form, bytes: Buffer.from(data, 'base64') }))),
  );
  try {
    return fromNativeSync(() => native().makeProgram(program, allow, elements));
  } finally {
    native().disposeState(elements);
  }
}
