// Archives of exported programs in all their forms, with parts of their JSON changed, records lost and bytes damaged.
import { archive, forms } from '../../pt2/archives.mjs';
import { graphOf, model, node, ref, unnamed } from '../../pt2/descriptions.mjs';
import { mutateBytes } from '../bytes.mjs';
import { interesting } from '../random.mjs';

const [linear, , ...rest] = model().nodes;
const operands = ['x', 'p_fc_weight', 'p_fc_bias'];
const region = {
  ...node('torch.ops.higher_order.wrap_with_set_grad_enabled', {}, 'linear'),
  inputs: unnamed({ as_bool: false }, graphOf([linear], ['linear']), ...operands.map(ref)),
};
const branch = (op) => graphOf([node(`torch.ops.aten.${op}.default`, { self: ref('x') }, 'y')], ['y']);
const condition = {
  ...node('torch.ops.higher_order.cond', {}, 'chosen'),
  inputs: unnamed({ as_bool: true }, branch('relu'), branch('tanh'), {
    as_tensors: operands.map((name) => ({ name })),
  }),
};
const sized = [
  node('torch.ops.aten.sym_size.int', { self: ref('x'), dim: { as_int: 0 } }, { as_sym_int: { as_name: 'b' } }),
  node('_operator.mul', { a: { as_sym_int: { as_name: 'b' } }, b: { as_int: 2 } }, { as_sym_int: { as_name: 'n' } }),
  node(
    'torch.ops.aten.reshape.default',
    { self: ref('linear'), shape: { as_sym_ints: [{ as_name: 'n' }, { as_int: 1 }] } },
    'shaped',
  ),
  node(
    'torch.ops.aten.chunk.default',
    { self: ref('linear'), chunks: { as_int: 2 }, dim: { as_int: 1 } },
    { as_tensors: [{ name: 'left' }, { name: 'right' }] },
  ),
];
const normed = node(
  'torch.ops.aten.dropout.default',
  { input: ref('linear'), p: { as_float: 0.5 }, train: { as_bool: true } },
  'dropped',
);
const models = [
  model(),
  model({ nodes: [linear, ...rest] }),
  model({ nodes: [region, ...rest] }),
  model({ nodes: [linear, condition, ...sized, normed, ...rest] }),
];
const words = [
  '',
  '__proto__',
  'x',
  'linear',
  'p_fc_weight',
  'torch.ops.aten.relu.default',
  'torch.ops.aten.set_.default',
  'Infinity',
  's0',
];

function otherValue(random, pool) {
  return random.pick([
    () => Number(interesting(random)),
    () => random.pick([null, true, false, 0.5, [], {}]),
    () => random.pick(words),
    () => structuredClone(random.pick(pool)),
  ])();
}

/** Changes a few places of a JSON: other values, parts of its own, keys lost and items twice. */
function changed(json, random) {
  const places = [];
  const pool = [];
  const walk = (value) => {
    for (const key of Object.keys(value)) {
      places.push([value, key]);
      pool.push(value[key]);
      if (typeof value[key] === 'object' && value[key] !== null) walk(value[key]);
    }
  };
  walk(json);
  for (let left = random.small(3); left > 0; left--) {
    const [holder, key] = random.pick(places);
    if (Array.isArray(holder) && random.once(4))
      holder.splice(Number(key), random.below(2), structuredClone(random.pick(holder) ?? null));
    else if (!Array.isArray(holder) && random.once(6)) delete holder[key];
    else holder[key] = otherValue(random, pool);
  }
  return json;
}

export function make(random) {
  const isPair = random.once(4);
  const described = isPair
    ? { train: random.pick(models.slice(0, 3)), eval: random.pick(models.slice(0, 3)) }
    : random.pick(models);
  const part = random.below(6);
  const built = archive(described, {
    form: isPair ? random.pick(['raw', 'pickled']) : random.pick(forms),
    ...(part < 4 && { json: (program) => changed(structuredClone(program), random) }),
    ...(part === 4 && { weights: (config) => void changed(config, random) }),
    ...(part === 5 && { records: (records) => records.filter(() => !random.once(20)) }),
  });
  return random.once(10) ? mutateBytes(built, random) : built;
}
