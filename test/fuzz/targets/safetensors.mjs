// Makes safetensors files with changed facts in their headers, changed header texts, or arbitrary bytes.
import { entry, safetensors } from '../../attacks/build.mjs';
import { mutateBytes } from '../bytes.mjs';
import { interesting } from '../random.mjs';

/** Dtypes with the bits of an element. */
const widths = {
  F32: 32,
  F64: 64,
  F16: 16,
  BF16: 16,
  I64: 64,
  I32: 32,
  I16: 16,
  I8: 8,
  U8: 8,
  U16: 16,
  U32: 32,
  U64: 64,
};
const rare = {
  BOOL: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  C64: 64,
  F4: 4,
  F6_E2M3: 6,
};
const bits = { ...widths, ...rare };
const dtypes = [...Object.keys(bits), 'X', '', 'f32', 'F128'];
const names = [
  'a',
  'b',
  '__proto__',
  'ö',
  '',
  'weight',
  '\u{1f600}',
  'a.b',
  '1',
  '0',
  'constructor',
  '\t',
  '\\',
  '"',
  '/',
];

const number = (random) => (random.once(4) ? Number(interesting(random)) : random.below(20));
const numbers = (random, count) => Array.from({ length: count }, () => number(random));
const odd = (random) => random.pick([null, true, -0, 1.5, 1e300, '2', [], {}, [[1]], number(random)]);

const changes = {
  dtype: (random) => random.pick([...dtypes, odd(random)]),
  shape: (random) => random.pick([numbers(random, random.below(4)), odd(random)]),
  data_offsets: (random) => random.pick([numbers(random, 2), numbers(random, random.below(4)), odd(random)]),
  other: odd,
  shape2: odd,
};

function changed(random) {
  const chosen = Array.from({ length: random.small(2) - 1 }, () => random.pick(Object.keys(changes)));
  return Object.fromEntries(chosen.map((key) => [key, changes[key](random)]));
}

function shapeOf(random) {
  return Array.from({ length: random.below(4) }, () => (random.once(8) ? 0 : 1 + random.below(3)));
}

/** A few valid tensors, one after the other: [name, facts] each, and their bytes. */
function sound(random) {
  let at = 0;
  const start = random.below(names.length);
  const used = [...names.slice(start), ...names.slice(0, start)].slice(0, 1 + random.below(5));
  const items = used.map((name) => {
    const dtype = random.once(3) ? random.pick(Object.keys(bits)) : random.pick(Object.keys(widths));
    const shape = shapeOf(random);
    const size = (shape.reduce((product, count) => product * count, 1) * bits[dtype]) / 8;
    const facts = entry({ dtype, shape, data_offsets: [at, at + Math.ceil(size)] });
    at += Math.ceil(size);
    return [name, facts];
  });
  return [items, at];
}

const spaces = ['', '', '', ' ', '\n', '\t', '  ', '\r'];

/** JSON with spaces, escapes, and facts in any order. */
function textOf(items, random) {
  const wide = random.once(4);
  const space = () => (wide ? random.pick(spaces) : '');
  const string = (text) => (random.once(6) ? escaped(text, random) : JSON.stringify(text));
  const value = (item) => {
    if (Array.isArray(item)) return `[${space()}${item.map(value).join(`,${space()}`)}${space()}]`;
    if (item === null || typeof item !== 'object')
      return typeof item === 'string' ? string(item) : spelled(item, random);
    return object(shuffled(Object.entries(item), random));
  };
  const object = (entries) =>
    `{${space()}${entries
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => `${string(key)}${space()}:${space()}${value(item)}${space()}`)
      .join(`,${space()}`)}}`;
  return object(random.once(3) ? shuffled(items, random) : items);
}

function shuffled(items, random) {
  return random.once(2)
    ? items
    : items
        .map((item) => [random.bits(), item])
        .sort(([a], [b]) => a - b)
        .map(([, item]) => item);
}

function escaped(text, random) {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  const code = (unit) => `\\u${unit.toString(16).padStart(4, '0')}`;
  const cut = random.once(10) ? units.slice(1) : units;
  return `"${cut.map((unit) => (random.once(10) ? code(unit).toUpperCase().replace('\\U', '\\u') : code(unit))).join('')}"`;
}

function spelled(value, random) {
  if (Object.is(value, -0)) return '-0';
  const text = String(value);
  return random.once(60)
    ? random.pick([`${text}.0`, `${text}e0`, `0${text}`, `+${text}`, `-${text}`, `${text}E+0`])
    : text;
}

const metadata = (random) =>
  random.pick([
    { format: 'pt' },
    {},
    { '': '' },
    { a: 'b', ö: '\u{1f600}' },
    null,
    odd(random),
    { a: odd(random) },
    { dtype: 'F32', shape: [], data_offsets: [0, 0] },
  ]);

/** Changes of the header's text as a whole. */
const spellings = [
  (text) => ` ${text}`,
  (text) => `${text}   `,
  (text) => `${text}\n`,
  (text) => `${text}\0`,
  (text) => text.replace('"dtype"', '"dtype":"F64","dtype"'),
  (text) => text.replace('"shape"', '"shape":[1],"shape"'),
  (text) => text.replace('{', '{"__metadata__":{"a":"1"},'),
  (text) => text.replace('{', '{"__metadata__":{"a":"1","a":"2"},'),
  (text) => text.replace('{', '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},'),
  (text) => text.slice(0, -1),
  (text) => `${text}}`,
  (text) => `${text.slice(0, -1)},}`,
  (text) => '['.repeat(5000) + text,
];

/** One file. `good`: whole files. */
export function make(random, good) {
  if (good.safetensors.length > 0 && random.once(12)) return mutateBytes(random.pick(good.safetensors), random);
  const [items, bytes] = sound(random);
  for (const item of items) if (random.once(8)) Object.assign(item[1], changed(random));
  if (random.once(4)) items.splice(random.below(items.length + 1), 0, ['__metadata__', metadata(random)]);
  let text = textOf(items, random);
  if (random.once(8)) text = random.pick(spellings)(text);
  const data = random.bytes(random.once(20) ? random.below(40) : bytes);
  const length = random.once(20) ? BigInt.asUintN(64, interesting(random)) : undefined;
  const file = safetensors(text, data, { length });
  return random.once(12) ? mutateBytes(file, random) : file;
}
