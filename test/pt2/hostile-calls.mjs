// Makes small models that call something hostile after their first layer, and what is expected of them.
import { node, raw, ref, model as whole } from './descriptions.mjs';

/** Without the count of batches, whose change evaluation would have to leave out. */
export const [linear, , ...rest] = whole().nodes;
export const model = (changes = {}) => whole({ nodes: [linear, ...rest], ...changes });

export const int = (value) => ({ as_int: typeof value === 'bigint' ? raw(String(value)) : value });
export const ints = (...values) => ({
  as_ints: values.map((value) => (typeof value === 'bigint' ? raw(String(value)) : value)),
});
export const float = (value) => ({ as_float: raw(String(value)) });
export const number = (name) => ({ as_sym_int: { as_name: name } });
export const symbols = (...names) => ({
  as_sym_ints: names.map((name) => (typeof name === 'string' ? { as_name: name } : int(name))),
});
export const aten = (name, args, ...outputs) => node(`torch.ops.aten.${name}`, args, ...outputs);
export const self = ref('linear');

/** A model that calls `nodes` after its first layer, the last of which computes `made`, or not. */
export const after = (...nodes) => model({ nodes: [linear, ...nodes, ...rest] });
export const call = (name, args = { self }, ...outputs) =>
  after(aten(name, args, ...(outputs.length > 0 ? outputs : ['made'])));
export const outside = { load: ['ERR_INVALID_OPTION', /is not one that a model may use.*allowOperators/] };
export const at = (step, code, words) => ({ [step]: [code, words] });
export const bad = (words) => at('load', 'ERR_INVALID_OPTION', words);
export const format = (words) => at('load', 'ERR_STATE_FORMAT', words);
export const needsPair = (words) => ['ERR_INVALID_OPTION', words];
export const running = (words, code = 'ERR_TORCH') => at('predict', code, words);
