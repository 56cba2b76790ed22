// Makes programs of one to three calls of any operator that a model may use, with arguments that fit its schema or do not. operators.json
// has the schemas. Half of the calls begin as a call that works, from calls.mjs, of which some arguments are then changed.
import fs from 'node:fs';
import path from 'node:path';
import { workingCall } from './calls.mjs';
import { elements } from './elements.mjs';
import { interesting } from './random.mjs';

const schemas = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, 'operators.json'), 'utf8'));
export const operators = Object.keys(schemas);

const dtypes = [
  'float32',
  'float32',
  'float32',
  'float64',
  'bfloat16',
  'float16',
  'int64',
  'int64',
  'int32',
  'uint8',
].concat(['int8', 'int16', 'bool', 'complex64', 'complex128']);
const words = [
  'constant',
  'reflect',
  'replicate',
  'circular',
  'floor',
  'trunc',
  'none',
  'tanh',
  'mean',
  'sum',
  'prod',
  'amax',
  'amin',
].concat([
  'ij,jk->ik',
  'bij,bjk',
  '...i->...',
  'i,i->',
  'aa',
  'fro',
  'nuc',
  'ortho',
  'forward',
  'backward',
  'left',
  'right',
  'zeros',
  'x',
  '',
]);
const formats = ['contiguous_format', 'channels_last', 'channels_last_3d', 'preserve_format'];
/** Regions and modes that nodes run in. */
const surroundings = [
  { gradient: false },
  { autocast: { dtype: 'bfloat16', region: 1 } },
  { autocast: { dtype: false, region: 2 } },
];

/** Returns a program of a seed, as buildModel() has it, with the elements of its parameters: { model, state }. */
export function programOf(random) {
  return new Maker(random).make();
}

class Maker {
  constructor(random) {
    this.random = random;
    this.tensors = [];
    this.nodes = [];
    this.values = [];
    this.sums = [];
  }

  make() {
    const { random } = this;
    const shape = Array.from({ length: random.below(5) }, () => this.size());
    for (let i = 0; i < 4; i++) this.tensor({ shape: this.shapeLike(shape), dtype: random.pick(dtypes) });
    this.tensor({ shape, dtype: 'float32' });
    this.tensor({ shape: random.once(2) ? shape : shape.slice(0, 1), dtype: 'int64', kind: 'index' });
    for (let left = random.once(4) ? 2 : 1; left > 0; left--) this.call();
    return this.#model();
  }

  size() {
    return this.random.pick([0, 1, 1, 2, 2, 3, 3, 4, 5, 8, 17]);
  }

  shapeLike(shape) {
    const { random } = this;
    const changes = [
      () => shape.slice(random.below(shape.length + 1)),
      () => shape.map((size) => (random.once(3) ? this.size() : size)),
      () => [this.size(), ...shape],
      () => [...shape].reverse(),
      () => [],
    ];
    return random.once(2) ? shape : random.pick(changes)();
  }

  /** Adds a tensor, and returns its name. Those of floats are parameters. */
  tensor({ shape, dtype = 'float32', kind, data }) {
    const { random } = this;
    const name = `t${this.tensors.length}`;
    const role = dtype === 'float32' && !random.once(6) ? 'parameter' : 'constant';
    this.tensors.push({ name, dtype, shape, role, data: data ?? elements(random, dtype, shape, kind) });
    this.values.push(name);
    return { value: name };
  }

  call() {
    const { random } = this;
    const made = random.once(2) ? workingCall(this) : undefined;
    const op = made ? made.op : random.pick(operators);
    const schema = schemas[op];
    const args = {};
    for (const [name, type, hasDefault] of schema[0]) {
      const isGiven = made && Object.hasOwn(made.args, name);
      if (isGiven) args[name] = made.args[name];
      else if (made ? !hasDefault : !hasDefault || random.once(3)) args[name] = this.argument(name, type);
    }
    if (made && random.once(2)) {
      for (let left = 1 + random.small(2); left > 0; left--) {
        const [name, type] = random.pick(schema[0]);
        args[name] = this.argument(name, type);
      }
    }
    if (random.once(60)) delete args[random.pick(Object.keys(args))];
    if (random.once(60)) args[random.pick(['more', 'out', '__proto__', 'self'])] = random.pick([1, null, this.value()]);
    this.#push(op, args, schema[1]);
  }

  #push(op, args, results) {
    const { random } = this;
    const at = op.lastIndexOf('.');
    const names = [];
    const named = (type) => {
      const name = `v${this.nodes.length}_${names.length}`;
      names.push(name);
      if (type === 'Tensor') this.values.push(name);
      return name;
    };
    const outputs = results.map((type) =>
      type === 'List[Tensor]' ? Array.from({ length: random.below(5) }, () => named('Tensor')) : named(type),
    );
    if (random.once(80)) outputs.push('more');
    const around = random.once(12) ? random.pick(surroundings) : {};
    const only = random.once(30) ? { only: random.pick(['training', 'evaluation']) } : {};
    this.nodes.push({ op: op.slice(0, at), overload: op.slice(at + 1), args, outputs, ...around, ...only });
    if (op.startsWith('aten::empty') || op.startsWith('aten::new_empty')) {
      const filled = { self: { value: outputs[0] }, value: this.argument('value', 'number') };
      this.nodes.push({
        op: 'aten::fill_',
        overload: 'Scalar',
        args: filled,
        outputs: [`f${this.nodes.length}`],
        ...only,
      });
    }
    if (results.every((type) => type.includes('Tensor'))) this.sums.push(...names);
  }

  value() {
    return { value: this.random.pick(this.values) };
  }

  argument(name, type) {
    const { random } = this;
    if (random.once(60))
      return random.pick([null, true, 1, 0.5, 'x', [], [1, 2], { float: Number.NaN }, this.value(), { dtype: 'bool' }]);
    const optional = /^Optional\[(.*)\]$/.exec(type)?.[1];
    if (optional && random.once(3)) return null;
    return this.#ofType(name, optional ?? type);
  }

  #ofType(name, type) {
    const { random } = this;
    switch (type) {
      case 'Tensor':
        return random.once(12)
          ? this.tensor({ shape: this.shapeLike([2, 3]), dtype: random.pick(dtypes) })
          : this.value();
      case 'bool':
        return random.once(2);
      case 'float':
        return { float: this.#real() };
      case 'number':
        return random.once(2) ? { int: this.#integer() } : { float: this.#real() };
      case 'str':
        return random.pick(words);
      case 'Device':
        return { run: 'device' };
      case 'Generator':
        return null;
      case 'int':
        if (/dtype/.test(name)) return { dtype: random.pick(dtypes) };
        if (name === 'layout') return { layout: 'strided' };
        if (name === 'memory_format') return { memoryFormat: random.pick(formats) };
        return { int: /dim|axis/.test(name) ? this.#axis() : this.#integer() };
      case 'List[int]':
        return Array.from({ length: random.below(5) }, () => ({
          int: /dim/.test(name) ? random.below(7) - 3 : this.#integer(),
        }));
      case 'List[float]':
        return Array.from({ length: random.below(4) }, () => ({ float: this.#real() }));
      case 'List[Optional[Tensor]]':
        return Array.from({ length: random.below(4) }, () => (random.once(3) ? null : this.value()));
      case 'List[Tensor]':
        return Array.from({ length: random.below(5) }, () => this.value());
      default:
        throw new Error(`No arguments are made of the type ${type}`);
    }
  }

  #axis() {
    const { random } = this;
    return random.once(12) ? random.below(11) - 5 : random.below(4) - 1;
  }

  #integer() {
    const { random } = this;
    if (!random.once(14)) return random.below(8) - (random.once(4) ? 4 : 0);
    const value = interesting(random);
    const most = 2n ** 63n - 1n;
    return String(value > most ? most : value < -most ? -most - 1n : value);
  }

  #real() {
    const { random } = this;
    if (!random.once(8)) return (random.below(41) - 10) / 10;
    return random.pick([
      0,
      -0,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      1e300,
      -1e-300,
      2 ** 53,
    ]);
  }

  /** The output is the input's linear layer and the sum of all that was computed, so that gradients reach every call. */
  #model() {
    const node = (op, overload, args, output) => ({ op: `aten::${op}`, overload, args, outputs: [output] });
    const [parameters, constants] = ['parameter', 'constant'].map((role) =>
      this.tensors.filter((tensor) => tensor.role === role),
    );
    const form = ({ name, dtype, shape }) => ({ name, dtype, shape });
    const weights = [
      { name: 'weight', dtype: 'float32', shape: [2, 3], data: elementsOf([0.1, -0.2, 0.3, 0.4, -0.5, 0.6]) },
      ...parameters,
    ];
    const nodes = [...this.nodes, node('linear', '', { input: { value: 'input' }, weight: { value: 'weight' } }, 's')];
    for (const [i, name] of this.sums.entries()) {
      nodes.push(node('to', 'dtype', { self: { value: name }, dtype: { dtype: 'float32' } }, `c${i}`));
      nodes.push(node('sum', '', { self: { value: `c${i}` } }, `d${i}`));
      nodes.push(
        node('add', 'Tensor', { self: { value: i === 0 ? 's' : `s${i - 1}` }, other: { value: `d${i}` } }, `s${i}`),
      );
    }
    const program = {
      inputs: [{ name: 'input', dtype: 'float32', shape: [3] }],
      parameters: weights.map(form),
      buffers: [],
      constants: constants.map((constant) => ({ ...form(constant), data: constant.data.toString('base64') })),
      nodes,
      outputs: [this.sums.length > 0 ? `s${this.sums.length - 1}` : 's'],
      exported: true,
    };
    const model = { name: 'made', program, tensors: weights.map(form), modules: [['', 1]] };
    const state = weights.map(({ data, ...tensor }) => ({ ...form(tensor), data: data.toString('base64') }));
    return { model, state };
  }
}

function elementsOf(numbers) {
  return Buffer.from(Float32Array.from(numbers).buffer);
}
