// Makes meaningful pickles: a tree of weights and plain values, written in one of the many ways that the instructions
// allow. Most are read by Python and by this library, which must then read the same. Some are odd on purpose.
import { join, u8, u32, u64 } from '../unit/checkpoint-support.mjs';
import { Forms } from './forms.mjs';
import { interesting } from './random.mjs';
import { tensorWriter } from './tensors.mjs';

const names = ['weight', 'bias', 'a', 'b', 'module.a', 'größe', '', '1', 'epoch', 'model', 'param_groups', '_metadata'];
const classes = ['argparse Namespace', '__main__ Config', 'pathlib PosixPath', 'numpy dtype'];

/** Trees of values, some of which are remembered and used again. */
export class Writer extends Forms {
  constructor(random, { storages, hasViews = false }) {
    super(random);
    this.memo = 0;
    this.kept = [];
    this.tensor = tensorWriter(this, storages, hasViews);
  }

  /** Writes one value, and may remember it, or uses one that was remembered before. */
  value(depth = 0) {
    const { random } = this;
    if (this.kept.length > 0 && random.once(6)) return this.again(random.pick(this.kept), depth);
    const kinds = depth > 4 ? plainKinds : depth > 0 ? allKinds : containerKinds;
    const kind = random.pick(kinds);
    const written = this[kind](depth);
    return random.once(4) ? this.keep(written, kind) : written;
  }

  /** Uses a remembered value, to which more may be added. */
  again({ index, kind }, depth) {
    const got = this.get(index);
    if (!this.random.once(4)) return got;
    if (kind === 'list') return [got, this.value(depth + 1), 'a'];
    return kind === 'dict' || kind === 'ordered' ? this.filled(this.random, got, this.pairs(depth)) : got;
  }

  keep(written, kind) {
    const { random } = this;
    const index = this.strange(6) ? random.below(this.memo + 3) : this.memo++;
    this.kept.push({ index, kind });
    if (this.modern && index === this.memo - 1 && !this.sparse && random.once(2)) return [written, u8(0x94)];
    this.sparse = true; // MEMOIZE counts, so it cannot follow other indices
    return [written, index < 256 && random.once(2) ? ['q', u8(index)] : ['r', u32(index)]];
  }

  get(index) {
    return index < 256 && this.random.once(2) ? ['h', u8(index)] : ['j', u32(index)];
  }

  plainNone() {
    return ['N'];
  }
  plainBoolean() {
    return this.modern && this.random.once(4)
      ? [this.random.pick(['I01\n', 'I00\n'])]
      : [u8(0x88 + this.random.below(2))];
  }
  plainInt() {
    return this.int(this.random.once(2) ? this.random.below(300) : interesting(this.random));
  }
  plainFloat() {
    return this.float(this.random.pick([0, -0, 1, 0.5, 1e300, -2.5, 2 ** 53, Infinity, 5e-324, 16777217]));
  }
  plainText() {
    // The bytes are an unpaired surrogate, which Python reads and UTF-8 does not have.
    return this.text(
      this.random.pick([
        ...names,
        Buffer.from([0xed, 0xa0, 0x80]),
        'x'.repeat(300),
        '\u{1f600}',
        '\0',
        '\n',
        '\\',
        '\ufeffx',
      ]),
    );
  }
  plainBytes() {
    return this.bytes(this.random.bytes(this.random.below(5)));
  }

  list(depth) {
    const items = this.items(depth);
    const { random } = this;
    if (this.ancient && random.once(5)) return ['(', items, 'l'];
    if (random.once(2)) return [']', items.map((item) => [item, 'a'])];
    const cut = random.below(items.length + 1);
    return [']', '(', items.slice(0, cut), 'e', cut < items.length ? ['(', items.slice(cut), 'e'] : ''];
  }

  items(depth) {
    return Array.from({ length: this.random.small(4) }, () => this.value(depth + 1));
  }

  tupleOf(depth) {
    return this.tuple(this.items(depth));
  }

  set(depth) {
    const items = Array.from({ length: this.random.below(4) }, () => this.key(depth));
    if (this.modern && this.random.once(2)) return [u8(0x8f), '(', items, u8(0x90)];
    if (this.modern && this.random.once(3)) return ['(', items, u8(0x91)];
    return this.call('builtins set', [[']', '(', items, 'e']]);
  }

  /** Dict keys are mostly texts; other values that Python treats as equal are one key. */
  key(depth) {
    const { random } = this;
    if (!random.once(8)) return this.text(random.once(3) ? `k${random.below(9)}` : random.pick(names));
    const odd = this.strange(3) ? ['plainBoolean', 'plainFloat', 'plainNone', 'plainBytes'] : [];
    return random.once(3) ? this.tuple([this.plainInt()]) : this[random.pick(['plainInt', ...odd])](depth);
  }

  /** Values, some of which are equal for Python. */
  equalKeys() {
    const { random } = this;
    const numbers = [() => this.int(1), () => [u8(0x88)], () => this.float(1), () => this.int(0), () => this.float(-0)];
    const texts = [
      () => this.bytes(Buffer.from('1')),
      () => this.text('1'),
      () => this.int(2n ** 70n),
      () => this.float(2 ** 70),
    ];
    const any = [
      ...numbers,
      ...texts,
      () => this.tuple([random.pick(numbers)()]),
      () => this.tuple([random.pick(texts)()]),
    ];
    return Array.from({ length: 1 + random.below(3) }, () => random.pick(any)());
  }

  equals(depth) {
    const keys = this.equalKeys();
    if (this.random.once(2)) return ['}', keys.map((key) => [key, this.value(depth + 1), 's'])];
    return this.call('builtins set', [[']', '(', keys, 'e']]);
  }

  /** A value that is changed after it was used. */
  late(depth) {
    const { random } = this;
    const index = this.memo++;
    this.sparse = true;
    const kind = random.pick(['builtins set', 'collections OrderedDict']);
    const item = (name) =>
      kind === 'builtins set' ? this.text(name) : this.tuple([this.text(name), this.value(depth + 1)]);
    const list = [']', ['q', u8(index)], '(', item('a'), 'e'];
    return ['(', this.call(kind, [list]), ['h', u8(index)], item('b'), 'a', 't'];
  }

  pairs(depth) {
    const count = this.random.small(4);
    const drawn = new Map();
    while (drawn.size < count) {
      const key = join(this.key(depth));
      // Keys that are drawn twice are refused here, which hides everything else.
      if (drawn.has(key.toString('hex')) && !this.strange(3)) break;
      drawn.set(key.toString('hex'), [key, this.value(depth + 1)]);
    }
    return [...drawn.values()];
  }

  dict(depth) {
    return this.filled(this.random, ['}'], this.pairs(depth));
  }

  filled(random, start, pairs) {
    if (random.once(2)) return [start, pairs.map((pair) => [pair, 's'])];
    const cut = random.below(pairs.length + 1);
    if (this.ancient && start[0] === '}' && start.length === 1 && random.once(4)) return ['(', pairs, 'd'];
    return [start, '(', pairs.slice(0, cut), 'u', cut < pairs.length ? ['(', pairs.slice(cut), 'u'] : ''];
  }

  ordered(depth) {
    const { random } = this;
    const asPairs = random.once(6) ? [[']', '(', this.pairs(depth).map((pair) => this.tuple(pair)), 'e']] : [];
    const start = [this.global('collections OrderedDict'), this.tuple(asPairs), 'R'];
    const made = this.filled(random, start, this.pairs(depth));
    if (!random.once(3)) return made;
    const facts = ['}', this.text('version'), this.int(random.below(3)), 's'];
    const modules = ['}', this.text(''), facts, 's'];
    const state = ['}', this.text(this.strange() ? random.pick(names) : '_metadata'), modules, 's', 'b'];
    return [made, state, this.strange(8) ? ['}', this.text('more'), 'N', 's', 'b'] : ''];
  }

  /** A dict of tensors only. */
  weights() {
    const count = 1 + this.random.below(3);
    const pairs = names.slice(0, count).map((name) => [this.text(name), this.tensor()]);
    return this.filled(
      this.random,
      this.random.once(2) ? ['}'] : [this.global('collections OrderedDict'), ')', 'R'],
      pairs,
    );
  }

  plainThing() {
    const { random } = this;
    const things = [
      () => this.call('torch Size', [this.tuple([this.int(2), this.int(3)])]),
      () => this.call('torch device', [this.text('cpu')]),
      () => this.call('builtins complex', [this.float(1), this.float(2)]),
      () => this.call('builtins bytearray', [this.bytes(random.bytes(2))]),
      () => this.global(`torch ${random.pick(['float32', 'int64', 'bfloat16'])}`),
      () => [this.call('collections Counter', []), this.text('x'), this.int(2), 's'],
      () => this.call('collections Counter', [['}', this.text('x'), this.int(2), 's']]),
      () => this.call(random.pick(classes), []),
      () => [this.call(random.pick(classes), []), this.dict(3), 'b'],
      () => this.scalar(),
      () => (this.strange() ? this.call('os getcwd', []) : this.global('__main__ Net')),
    ];
    return random.pick(things)();
  }

  /** A NumPy number. */
  scalar() {
    const type = [this.call('numpy dtype', [this.text('f8'), u8(0x89), u8(0x88)])];
    const order = this.text(this.random.pick(['<', '>', '=']));
    const state = this.tuple([this.int(3), order, 'N', 'N', 'N', this.int(-1), this.int(-1), this.int(0)]);
    return this.call('numpy.core.multiarray scalar', [[type, state, 'b'], this.bytes(this.random.bytes(8))]);
  }
}

const plainKinds = ['plainNone', 'plainBoolean', 'plainInt', 'plainFloat', 'plainText', 'plainBytes'];
const containerKinds = ['list', 'tupleOf', 'dict', 'ordered', 'set', 'weights'];
const allKinds = [...plainKinds, ...containerKinds, 'tensor', 'tensor', 'plainThing', 'equals', 'late'];

/** A pickle of weights and other values. */
export function writePickle(random, options) {
  const writer = new Writer(random, options);
  const weights = writer.weights();
  const root = random.once(3)
    ? weights
    : ['}', '(', writer.text(random.pick(['model', 'state_dict', 'weights'])), weights, beside(writer), 'u'];
  const protocol = writer.modern ? 3 + random.below(3) : 2;
  const framed = protocol > 3 && random.once(2);
  const body = join(root, '.');
  return join(writer.strange(20) ? '' : [u8(0x80), u8(protocol)], framed ? [u8(0x95), u64(body.length)] : '', body);
}

function beside(writer) {
  return Array.from({ length: 1 + writer.random.below(4) }, (_, i) => [writer.text(`beside ${i}`), writer.value(1)]);
}
