// Writes numbers, texts, bytes and calls of pickles, each in one of the equivalent forms for Python. For grammar.mjs.
import { u8, u16, u32, u64 } from '../unit/checkpoint-support.mjs';

/** The form is drawn each time. */
export class Forms {
  constructor(random) {
    this.random = random;
    /** Includes instructions that weights_only does not know. */
    this.modern = random.once(6);
    /** Includes instructions of protocol 0, which no checkpoint has. */
    this.ancient = this.modern && random.once(10);
    this.odd = random.once(3);
  }

  /** Rarely true, and only in odd files. */
  strange(times = 4) {
    return this.odd && this.random.once(times);
  }

  int(value) {
    const { random } = this;
    const whole = BigInt(value);
    const forms = [long(whole, random.once(6) ? 1 + random.below(3) : 0)];
    if (whole >= 0n && whole < 256n) forms.push(['K', u8(whole)], ['K', u8(whole)]);
    if (whole >= 0n && whole < 65536n) forms.push(['M', u16(whole)]);
    if (whole >= -(2n ** 31n) && whole < 2n ** 31n) forms.push(['J', u32(BigInt.asUintN(32, whole))]);
    if (this.modern) forms.push(long4(whole));
    if (this.ancient) forms.push(['I', `${whole}\n`], ['L', `${whole}L\n`]);
    if (this.strange(12)) forms.push([this.float(Number(whole))], whole === 1n ? [u8(0x88)] : [u8(0x89)]);
    return random.pick(forms);
  }

  float(value) {
    if (this.ancient && this.random.once(6)) return ['F', `${value}\n`];
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return ['G', bytes];
  }

  /** `value`: a text, or its bytes. */
  text(value) {
    const bytes = Buffer.from(value);
    const forms = [
      ['X', u32(bytes.length), bytes],
      ['X', u32(bytes.length), bytes],
    ];
    if (bytes.length < 256 && this.random.once(3)) forms.push(['U', u8(bytes.length), bytes]);
    if (this.modern) {
      if (bytes.length < 256) forms.push([u8(0x8c), u8(bytes.length), bytes]);
      forms.push([u8(0x8d), u64(bytes.length), bytes], ['T', u32(bytes.length), bytes]);
      if (this.ancient && typeof value === 'string' && !/[\n\\]/.test(value))
        forms.push(['V', value.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`), '\n']);
    }
    return this.random.pick(forms);
  }

  bytes(value) {
    const forms = [this.call('_codecs encode', [this.text(value.toString('latin1')), this.text('latin1')])];
    if (this.modern) forms.push(['C', u8(value.length), value], [u8(0x8e), u64(value.length), value]);
    if (this.modern) forms.push([u8(0x96), u64(value.length), value]);
    return this.random.pick(forms);
  }

  global(name) {
    const [module, attribute] = name.split(' ');
    if (this.modern && this.random.once(2)) return [this.text(module), this.text(attribute), u8(0x93)];
    const old = module === 'builtins' ? '__builtin__' : module;
    return ['c', `${this.random.once(2) ? old : module}\n${attribute}\n`];
  }

  tuple(items) {
    const forms = [['(', items, 't']];
    if (items.length === 0) forms.push([')']);
    if (items.length > 0 && items.length < 4) forms.push([items, u8(0x84 + items.length)]);
    return this.random.pick(forms);
  }

  call(name, args) {
    const how = this.modern && this.random.once(8) ? u8(0x81) : 'R';
    return [this.global(name), this.tuple(args), this.strange(15) ? u8(0x81) : how];
  }
}

function digits(value) {
  const bytes = [];
  let rest = value;
  while (!(rest === 0n || rest === -1n)) {
    bytes.push(Number(rest & 255n));
    rest >>= 8n;
  }
  const sign = value < 0n ? 255 : 0;
  if (bytes.length === 0 ? value < 0n : bytes.at(-1) >> 7 !== (sign & 1)) bytes.push(sign);
  return bytes;
}

/** With superfluous bytes of its sign. */
function long(value, more) {
  const bytes = [...digits(value), ...Array(more).fill(value < 0n ? 255 : 0)];
  return [u8(0x8a), u8(bytes.length), Buffer.from(bytes)];
}

function long4(value) {
  const bytes = digits(value);
  return [u8(0x8b), u32(bytes.length), Buffer.from(bytes)];
}
