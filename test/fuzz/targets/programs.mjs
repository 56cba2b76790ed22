// Programs of operators that a model may use, as JSON: see ../programs.mjs.
import { programOf } from '../programs.mjs';
import { textOf } from '../run-model.mjs';

export function make(random) {
  return Buffer.from(textOf(programOf(random)));
}
