// Index in memory of one file of remembered predictions: how long each has waited for its label, or that it no longer waits. About
// four bytes each.
import { headerBytesOf, type RecordForm } from './form';
import { joinedBytes, strideOf } from './format';

export class Segment {
  readonly number: number;
  /** The first part of its samples' ids. */
  readonly token: string;
  readonly form: RecordForm;
  readonly stride: number;
  /** Size of the header of its file. */
  readonly headerBytes: number;
  /** Its files are removed as soon as none of its samples is being learned. */
  isDoomed = false;
  #count = 0;
  #joined = 0;
  #lost = 0;
  #expired = 0;
  /** All samples before this one expired, except those that were taken or settled. */
  #expiredTo = 0;
  /** Time of the first sample, in milliseconds since 1970, and the delays of the others, in ascending order. */
  #start = 0;
  #times = new Uint32Array(64);
  /** One bit for each sample: joined or lost. */
  #settled = new Uint32Array(2);
  /** Samples whose labels arrived, and that are not durably learned yet. */
  readonly #taken = new Set<number>();

  constructor(number: number, token: string, form: RecordForm, headerBytes = headerBytesOf(form)) {
    this.number = number;
    this.token = token;
    this.form = form;
    this.stride = strideOf(form);
    this.headerBytes = headerBytes;
  }

  get count(): number {
    return this.#count;
  }

  get start(): number {
    return this.#start;
  }

  get counts(): { pending: number; joined: number; expired: number; lost: number } {
    const pending = this.#count - this.#joined - this.#lost - this.#expired;
    return { pending, joined: this.#joined, expired: this.#expired, lost: this.#lost };
  }

  /** On the disk. */
  get bytes(): number {
    return this.headerBytes + this.#count * this.stride + this.#joined * joinedBytes;
  }

  /** Whether none of its samples waits for anything. */
  get isDone(): boolean {
    return this.counts.pending === 0;
  }

  /** Adds a sample and returns its index. */
  add(time: number): number {
    const index = this.#count++;
    if (index === 0) this.#start = time;
    if (index === this.#times.length) {
      this.#times = grown(this.#times);
      this.#settled = grown(this.#settled);
    }
    const later = Math.min(Math.max(time - this.#start, 0), 2 ** 32 - 1);
    // A clock that is set back must not change the order.
    this.#times[index] = index === 0 ? 0 : Math.max(later, this.#times[index - 1]!);
    return index;
  }

  idOf(index: number): string {
    return `${this.token}-${index}`;
  }

  isPending(index: number): boolean {
    const waits = Number.isInteger(index) && index >= this.#expiredTo && index < this.#count;
    return waits && !this.#isSettled(index) && !this.#taken.has(index);
  }

  /** The label of a pending sample arrived. */
  take(index: number): void {
    this.#taken.add(index);
  }

  /** The sample was not learned. */
  release(index: number): void {
    this.#taken.delete(index);
    if (index < this.#expiredTo) this.#expired++;
  }

  /** The sample has its label, or cannot be read. */
  settle(index: number, as: 'joined' | 'lost'): void {
    this.#taken.delete(index);
    if (this.#isSettled(index)) return;
    this.#settled[index >>> 5]! |= 1 << (index & 31);
    if (as === 'joined') this.#joined++;
    else this.#lost++;
  }

  /** Expires samples up to this time. */
  expire(time: number): void {
    const later = time - this.#start;
    if (this.#count === 0 || later < this.#times[this.#expiredTo]!) return;
    let [from, to] = [this.#expiredTo, this.#count];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#times[middle]! <= later) from = middle + 1;
      else to = middle;
    }
    this.#expireTo(to);
  }

  expireAll(): void {
    this.#expireTo(this.#count);
  }

  #expireTo(end: number): void {
    const first = this.#expiredTo;
    if (end <= first) return;
    let waiting = end - first - countBits(this.#settled, first, end);
    for (const index of this.#taken) if (index >= first && index < end) waiting--;
    this.#expired += waiting;
    this.#expiredTo = end;
  }

  #isSettled(index: number): boolean {
    return ((this.#settled[index >>> 5]! >>> (index & 31)) & 1) === 1;
  }
}

function grown(array: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** The number of set bits from `first` to `end` - 1. */
function countBits(words: Uint32Array, first: number, end: number): number {
  let count = 0;
  for (let at = first; at < end; ) {
    const stop = Math.min(end, (at | 31) + 1);
    // The part of the range in this word.
    let bits = (words[at >>> 5]! >>> (at & 31)) & (stop - at === 32 ? -1 : (1 << (stop - at)) - 1);
    for (; bits !== 0; bits &= bits - 1) count++;
    at = stop;
  }
  return count;
}
