// safetensors files: facts of their headers changed one by one, the header's text, or any bytes.
import { entry, safetensors } from '../../attacks/build.mjs';
import { mutateBytes } from '../bytes.mjs';
import { interesting } from '../random.mjs';

const dtypes = [
  'F32',
  'F64',
  'F16',
  'BF16',
  'I64',
  'I32',
  'I8',
  'U8',
  'U16',
  'U64',
  'BOOL',
  'F8_E4M3',
  'C64',
  'F4',
  'X',
  '',
];
const number = (random) => (random.once(4) ? Number(interesting(random)) : random.below(20));
const numbers = (random, count) => Array.from({ length: count }, () => number(random));
const odd = (random) => random.pick([null, true, -0, 1.5, 1e300, '2', [], {}, [[1]], number(random)]);

const changes = {
  dtype: (random) => random.pick([...dtypes, odd(random)]),
  shape: (random) => random.pick([numbers(random, random.below(4)), odd(random)]),
  data_offsets: (random) => random.pick([numbers(random, 2), numbers(random, random.below(4)), odd(random)]),
  other: odd,
};

function changed(random) {
  const chosen = Array.from({ length: random.small(2) }, () => random.pick(Object.keys(changes)));
  return Object.fromEntries(chosen.map((key) => [key, changes[key](random)]));
}

/** A few tensors one after the other, as they should be. */
function good(random) {
  let at = 0;
  const header = {};
  for (const name of ['a', 'b', '__proto__', 'ö', ''].slice(0, 1 + random.below(5))) {
    const size = random.below(6);
    const value = entry({ shape: [size], data_offsets: [at, at + 4 * size], ...changed(random) });
    Object.defineProperty(header, name, { value, enumerable: true, configurable: true });
    at += 4 * size;
  }
  return [header, at];
}

/** JSON as some would write it: numbers in other forms, escapes, keys twice, spaces. */
const spellings = [
  (text) => text.replace(/(\d+)/, '$1.0'),
  (text) => text.replace(/(\d+)/, '$1e0'),
  (text) => text.replace('{', ' {'),
  (text) => `${text}   `,
  (text) => text.replaceAll('"a"', '"\\u0061"'),
  (text) => text.replace('"dtype"', '"dtype":"F64","dtype"'),
  (text) => text.replaceAll(':', ' : '),
  (text) => text.slice(0, -1),
  (text) => `${text}}`,
  (text) => '['.repeat(5000) + text,
];

/** One file. */
export function make(random) {
  const [header, bytes] = good(random);
  if (random.once(6)) header.__metadata__ = random.pick([{ format: 'pt' }, odd(random), { a: odd(random) }]);
  let text = JSON.stringify(header);
  for (let left = random.small(2); left > 1; left--) text = random.pick(spellings)(text);
  const data = random.bytes(random.once(5) ? random.below(40) : bytes);
  const length = random.once(10) ? BigInt.asUintN(64, interesting(random)) : undefined;
  const file = safetensors(text, data, { length });
  return random.once(4) ? mutateBytes(file, random) : file;
}
