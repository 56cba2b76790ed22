// A model as JSON, so that a learner's folder says which program its records were computed with. Numbers that JSON does not have
// (infinities, NaN, -0) are kept: they may be arguments of operators.
import { LearnError } from '../../core/errors';
import type { Model } from '../../program/module';

const isPlain = (number: number) => Number.isFinite(number) && !Object.is(number, -0);

export function modelText(model: Model): string {
  return JSON.stringify(model, (_, value: unknown) =>
    typeof value === 'number' && !isPlain(value) ? { $number: Object.is(value, -0) ? '-0' : String(value) } : value,
  );
}

/** Throws ERR_STATE_FORMAT where the text is no model's. Its operators are checked when the program is made. */
export function readModel(text: string): Model {
  let model: Partial<Model> | undefined;
  try {
    model = JSON.parse(text, (_, value: unknown) => {
      const named = typeof value === 'object' && value !== null ? (value as { $number?: unknown }).$number : undefined;
      return typeof named === 'string' ? Number(named) : value;
    });
  } catch {
    // As if it held something else.
  }
  const { name, program, tensors, modules } = model ?? {};
  const isModel =
    typeof name === 'string' && typeof program === 'object' && Array.isArray(tensors) && Array.isArray(modules);
  if (!isModel) throw new LearnError('ERR_STATE_FORMAT', 'Expected a model in the snapshot of a learner');
  return model as Model;
}
