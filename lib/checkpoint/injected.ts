// Searches a pickle that is refused as damaged for code. A loader that trusts files runs a pickle while it reads it, up to
// the damage, so code is reported first.
//
//  1. Instructions are read and never run: all of Python's, not only those of torch.save.
//  2. A name that runs code counts anywhere, even after the end of the pickle if something may follow it.
//  3. An unknown name counts only in a pickle that torch.save cannot have written: honest files may be truncated.
//  4. A name that cannot be determined, because it is computed or remembered under a large number, counts as code.
//  5. Bytes that are only suspected of being a pickle are refused for rule 2 alone.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LearnError } from '../core/errors';
import { ForeignPickle, unsafeError } from './errors';
import { maxGlobalBytes, maxScannedInstructions } from './limits';
import { currentModule } from './pickle/moved-names';
import { PickleGlobal } from './pickle/values';
import { isActing, isKnown } from './unsafe-names';

/** Operand of an instruction: a number of bytes, a length of 1, 4 or 8 bytes with as many bytes, or one or two lines. */
type Operand = number | 'count1' | 'count4' | 'count8' | 'line' | 'lines';

const operands = new Map<number, Operand>();
const note = (operand: Operand, codes: string | readonly number[]) => {
  for (const code of typeof codes === 'string' ? Buffer.from(codes) : codes) operands.set(code, operand);
};
note(0, '(.012NQR])abedlostu}');
note(0, [0x81, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x97, 0x98]);
note(1, 'Khq');
note(1, [0x80, 0x82]);
note(2, 'M');
note(2, [0x83]);
note(4, 'Jjr');
note(4, [0x84]);
note(8, 'G');
note(8, [0x95]);
note('count1', 'UC');
note('count1', [0x8a, 0x8c]);
note('count4', 'TBX');
note('count4', [0x8b]);
note('count8', [0x8d, 0x8e, 0x96]);
note('line', 'ILFSVPgp');
note('lines', 'ci');

const stop = 0x2e;
const stackGlobal = 0x93;
/** Instructions that call or name something, and that torch.save never uses. */
const calling = new Map([
  [0x69, 'INST'],
  [0x6f, 'OBJ'],
  [0x82, 'EXT1'],
  [0x83, 'EXT2'],
  [0x84, 'EXT4'],
]);
const texts = new Set([...Buffer.from('SVUTX'), 0x8c, 0x8d]);
/** Numbers, booleans and None. */
const plain = new Set([...Buffer.from('KMJGNILF'), 0x88, 0x89, 0x8a, 0x8b]);
const puts = new Set(Buffer.from('pqr'));
const gets = new Set(Buffer.from('ghj'));

const instructionsPerTurn = 50_000;
const mostNames = 1000;
const mostMemoized = 2 ** 20;

/** A text; null for a value that is certainly not a text; undefined for a value that may be one. */
type Recent = string | null | undefined;

class Scan {
  /** Dotted Python names: those that run code, and those that are not part of any checkpoint. */
  readonly acting = new Set<string>();
  readonly unknown = new Set<string>();
  /** The instructions of `calling` that occur. */
  readonly calls = new Set<string>();
  readonly #bytes: Buffer;
  readonly #isFollowed: boolean;
  /** The values that were pushed last. */
  #recent: Recent[] = [];
  /** Texts by memo index, up to `mostMemoized`. A name remembered under a larger index is treated as unknown. */
  readonly #memo: Recent[] = [];
  readonly #isMemoized = new Uint8Array(mostMemoized);
  #memoized = 0;
  #at = 0;
  /** Cost so far, in instructions: texts and names count as several. */
  #spent = 0;
  #isOver = false;

  constructor(bytes: Buffer, isFollowed: boolean) {
    this.#bytes = bytes;
    this.#isFollowed = isFollowed;
  }

  /** Reads up to `count` instructions. Returns whether there may be more. */
  run(count: number): boolean {
    const end = this.#spent + count;
    while (this.#spent < end) if (!this.#next()) return false;
    return this.#spent < maxScannedInstructions;
  }

  /** Describes the code that was found. Unknown names count only if torch.save cannot have written the pickle (rule 3). */
  wanted(isForeign: boolean, isGuess: boolean): string[] {
    if (isGuess) return [...this.acting];
    const calls = [...this.calls].map((word) => `what ${word} names`);
    return [...this.acting, ...(isForeign || calls.length > 0 ? this.unknown : []), ...calls];
  }

  #next(): boolean {
    this.#spent++;
    const code = this.#bytes[this.#at++];
    const operand = code === undefined ? undefined : operands.get(code);
    if (operand === undefined) return false;
    if (code === stop) {
      // Python stops here, but a reader may take the bytes that follow for another pickle.
      this.#isOver = true;
      return !this.#isFollowed;
    }
    const start = this.#at;
    const isWhole = operand === 0 || this.#pass(operand);
    if (!isWhole) return false;
    this.#note(code!, operand, start);
    return true;
  }

  #pass(operand: Exclude<Operand, 0>): boolean {
    if (typeof operand === 'number') this.#at += operand;
    else if (operand === 'line' || operand === 'lines') {
      this.#passLine();
      if (operand === 'lines') this.#passLine();
    } else {
      const width = Number(operand.slice('count'.length));
      if (this.#at + width > this.#bytes.length) return false;
      const length =
        width === 8 ? Number(this.#bytes.readBigUInt64LE(this.#at)) : this.#bytes.readUIntLE(this.#at, width);
      this.#at += width + length;
    }
    return this.#at <= this.#bytes.length;
  }

  #passLine(): void {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    this.#at = end < 0 ? this.#bytes.length + 1 : end + 1;
  }

  #note(code: number, operand: Operand, start: number): void {
    const word = calling.get(code);
    if (word && !this.#isOver) this.calls.add(word);
    if (operand === 'lines') {
      if (this.#at - start <= 2 * maxGlobalBytes) {
        const [module = '', name = ''] = this.#bytes.toString('latin1', start, this.#at).split('\n');
        this.#name(module, name);
      }
      this.#recent.push(undefined);
    } else if (code === stackGlobal) {
      const [module, name] = this.#recent.slice(-2);
      if (typeof module === 'string' && typeof name === 'string') this.#name(module, name);
      else if (!this.#isOver && module !== null && name !== null) this.calls.add('STACK_GLOBAL');
      this.#recent = [undefined];
    } else if (texts.has(code)) this.#recent.push(this.#text(operand, start));
    else if (gets.has(code)) this.#recent.push(this.#memo[this.#number(operand, start)]);
    else if (puts.has(code)) this.#remember(this.#number(operand, start));
    else if (code === 0x94) this.#remember(this.#memoized);
    else if (code === 0x32) this.#recent.push(this.#recent.at(-1));
    else if (code === 0x30) this.#recent.pop();
    else if (plain.has(code)) this.#recent.push(null);
    else this.#recent.push(undefined);
    if (this.#recent.length > 100) this.#recent = this.#recent.slice(-2);
  }

  /** Returns a text that is short enough to be a name; undefined for a longer one. */
  #text(operand: Operand, start: number): Recent {
    const skipped = typeof operand === 'string' && operand.startsWith('count') ? Number(operand.slice(5)) : 0;
    const [from, to] = operand === 'line' ? [start, this.#at - 1] : [start + skipped, this.#at];
    if (to - from > maxGlobalBytes) return undefined;
    this.#spent += 5;
    return this.#bytes.toString('utf8', from, to).replace(/^(['"])(.*)\1$/s, operand === 'line' ? '$2' : '$&');
  }

  #number(operand: Operand, start: number): number {
    return operand === 'line'
      ? Number(this.#bytes.toString('latin1', start, Math.min(this.#at, start + 20)))
      : this.#bytes.readUIntLE(start, operand as number);
  }

  #remember(index: number): void {
    if (!(index >= 0)) return;
    // MEMOIZE uses the number of remembered values as the next index.
    if (!this.#isMemoized[index]) this.#memoized++;
    this.#isMemoized[index] = 1;
    const value = this.#recent.at(-1);
    if (index < this.#memo.length || (typeof value === 'string' && index < mostMemoized)) this.#memo[index] = value;
  }

  #name(module: string, attribute: string): void {
    if (module.length > maxGlobalBytes || attribute.length > maxGlobalBytes) return;
    this.#spent += 50;
    const found = new PickleGlobal(currentModule(module), attribute);
    // The bytes after the end may be anything: there only rule 2 applies.
    if (isActing(found)) this.acting.add(found.name);
    else if (!this.#isOver && !isKnown(found) && this.unknown.size < mostNames) this.unknown.add(found.name);
  }
}

interface Options {
  /** Other data may follow the pickle's end. */
  isFollowed?: boolean | undefined;
  /** The bytes may not be a pickle at all: only names that run code count. */
  isGuess?: boolean;
}

/** Returns the error for a pickle that was refused as damaged: ERR_STATE_UNSAFE if it asks for code, otherwise `cause`. */
export async function unlessInjected(
  cause: unknown,
  bytes: Buffer,
  place: string,
  { isFollowed = false, isGuess = false }: Options = {},
): Promise<unknown> {
  if (!(cause instanceof LearnError) || cause.code !== 'ERR_STATE_FORMAT') return cause;
  const scan = new Scan(bytes, isFollowed);
  while (scan.run(instructionsPerTurn)) await nextTurn();
  const wanted = scan.wanted(cause instanceof ForeignPickle, isGuess);
  if (wanted.length === 0) return cause;
  const shown = wanted.slice(0, 5).join(', ') + (wanted.length > 5 ? ', …' : '');
  return unsafeError(
    `${place} asks for ${shown}. Only tensors and plain values are read, and nothing a file names is ever run. Without ` +
      `that it would not load either: ${cause.message}`,
  );
}
