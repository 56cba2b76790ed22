// Conversation with one peer: its lines and their answers. Rules:
//
// 1. Answers have the order of the lines, though many lines are worked on at once.
// 2. Input pauses while answers are not being read, so that memory is bounded.
// 3. On a port or a socket, a first line that is not a JSON object ends the conversation, whatever its length: a web page can make a
//    browser send a request to any port of its machine, with lines of JSON as its body.
import type { Readable } from 'node:stream';
import { LearnError, messageOf } from '../../core/errors';
import type { SampleForm } from '../../core/sample-values';
import type { Answers } from './answers';
import type { Limits } from './limits';
import { type Line, linesOf } from './lines';
import { fieldsOf, type Request, understand } from './requests';
import type { Allowance, Holder, Lease, Room } from './room';
import type { Rounds } from './rounds';

/** Bytes of an unfinished line that need no room. */
const unaskedBytes = 16 * 1024;

export interface Peer {
  input: Readable;
  /** Resolves when the line is sent; never rejects. */
  write(line: string): Promise<void>;
  /** Sends an error and disconnects the peer. */
  dismiss?(error: LearnError): void;
  /** It has the rights of this process. */
  trusted: boolean;
}

/** Shared by all conversations. */
export interface Terms {
  form: SampleForm;
  limits: Limits;
  room: Room;
  rounds: Rounds;
  answers: Answers;
}

export class Conversation implements Holder {
  /** Resolves when reading ends. */
  readonly read: Promise<void>;
  readonly #peer: Peer;
  readonly #terms: Terms;
  readonly #allowance: Allowance;
  /** Lines whose answers are not written yet. */
  #lines = 0;
  /** Those of them that are being worked on. */
  #worked = 0;
  #progress = performance.now();
  #hasSpoken = false;
  #written: Promise<void> = Promise.resolve();
  #stopped = false;
  /** Its first bytes cannot begin a JSON object. */
  #isForeign = false;
  /** Room for a long line that is not finished. */
  #growing: Lease | undefined;
  /** Wakes up a wait for an answer to be written. */
  #freed = () => {};
  /** Wakes up a wait for input. */
  #leave = () => {};

  constructor(peer: Peer, terms: Terms) {
    this.#peer = peer;
    this.#terms = terms;
    this.#allowance = terms.room.for(this);
    this.read = this.#read().finally(() => this.#growing?.shrink(0));
  }

  /** Resolves when all lines that were read are answered. */
  get answered(): Promise<void> {
    return this.#written;
  }

  /** When it last finished a line or read an answer, by performance.now(); undefined: it waits for an answer. */
  get quietSince(): number | undefined {
    return this.#worked > 0 ? undefined : this.#progress;
  }

  /** Whether it has sent a JSON object. */
  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** Stops reading. */
  stop(): void {
    this.#stopped = true;
    this.#freed();
    this.#leave();
    this.#allowance.leave();
  }

  evict(): void {
    if (!this.#peer.dismiss) return;
    this.stop();
    this.#peer.dismiss(tooSlow);
  }

  async #read(): Promise<void> {
    const { limits, rounds } = this.#terms;
    const mayGrow = () => this.#grow();
    for await (const line of linesOf(this.#chunks(), { longest: limits.line, unasked: unaskedBytes, mayGrow })) {
      await rounds.turn(line.bytes?.length ?? 0);
      const lease = await this.#leaseFor(line);
      if (!lease || this.#stopped) {
        lease?.shrink(0);
        return;
      }
      this.#progress = performance.now();
      if (line.bytes && isBlank(line.bytes)) {
        lease.shrink(0);
        continue;
      }
      const request = this.#understand(line);
      lease.shrink(bytesIn(request) + limits.answer);
      await this.#until(() => this.#lines < limits.lines);
      // Requests about the learner itself are answered after all lines before them, and before all lines after them.
      const isAlone = !['learn', 'predict', 'feedback', 'none'].includes(request.kind);
      if (isAlone) await this.#until(() => false);
      if (this.#stopped) {
        lease.shrink(0);
        return;
      }
      this.#answer(request, line.number, lease);
      if (isAlone) await this.#until(() => false);
      if (request.kind === 'none' && request.isLast) return;
    }
    const lease = this.#isForeign && (await this.#allowance.take(limits.answer));
    if (lease) this.#answer(refusal(notLines, true), 1, lease);
  }

  /** The input's chunks, until the end or stop(). */
  async *#chunks(): AsyncGenerator<Uint8Array> {
    const chunks: AsyncIterator<Uint8Array> = this.#peer.input.iterator({ destroyOnReturn: false });
    let hasStarted = this.#peer.trusted;
    try {
      while (!this.#stopped) {
        const next = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
          this.#leave = () => resolve(undefined);
          chunks.next().then(resolve, reject);
        });
        if (!next || next.done) return;
        if (!hasStarted) {
          const first = next.value.find((byte) => byte !== space && byte !== tab);
          hasStarted = first !== undefined;
          this.#isForeign = hasStarted && first !== brace;
          if (this.#isForeign) return;
        }
        yield next.value;
      }
    } finally {
      // Lets the stream flow again. Not awaited, since a pending next() may take any time.
      void chunks.return?.();
    }
  }

  /** Takes room for the longest line and its answer. */
  async #grow(): Promise<boolean> {
    const { line, answer } = this.#terms.limits;
    this.#growing = await this.#allowance.take(line + answer);
    return this.#growing !== undefined;
  }

  async #leaseFor({ bytes }: Line): Promise<Lease | undefined> {
    const size = (bytes?.length ?? 0) + this.#terms.limits.answer;
    const growing = this.#growing;
    this.#growing = undefined;
    growing?.shrink(size);
    return growing ?? this.#allowance.take(size);
  }

  /** Waits until `isTrue`, all answers are written, or stop(). */
  async #until(isTrue: () => boolean): Promise<void> {
    while (this.#lines > 0 && !isTrue() && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
    }
  }

  #answer(request: Request | Refusal, number: number, lease: Lease): void {
    this.#lines++;
    this.#worked++;
    const answer = this.#answerTo(request, number).then((text) => {
      this.#worked--;
      this.#progress = performance.now();
      lease.shrink(text.length);
      return text;
    });
    this.#written = this.#written.then(async () => {
      await this.#peer.write(await answer);
      this.#lines--;
      this.#progress = performance.now();
      lease.shrink(0);
      this.#freed();
    });
  }

  /** Never rejects. */
  async #answerTo(request: Request | Refusal, line: number): Promise<string> {
    try {
      if (request.kind === 'none') throw request.cause;
      return JSON.stringify(await this.#terms.answers.to(request));
    } catch (cause) {
      return errorLine(cause, line);
    }
  }

  #understand({ bytes, number }: Line): Request | Refusal {
    const { form, limits } = this.#terms;
    try {
      if (!bytes) throw tooLong(form, limits);
      const fields = fieldsOf(bytes);
      this.#hasSpoken = true;
      const request = understand(fields, bytes, form);
      if (request.kind === 'save' && !this.#peer.trusted) throw notFromHere;
      return request;
    } catch (cause) {
      const isLast = number === 1 && !this.#peer.trusted && !this.#hasSpoken;
      return refusal(isLast ? new LearnError('ERR_DATA_FORMAT', `${messageOf(cause)}; ${thisEnds}`) : cause, isLast);
    }
  }
}

/** A line that is not a request. */
interface Refusal {
  kind: 'none';
  cause: unknown;
  /** Reading ends. */
  isLast: boolean;
}

const refusal = (cause: unknown, isLast: boolean): Refusal => ({ kind: 'none', cause, isLast });

/** An error as a line for a peer. `line`: number of the line that it answers, if any. */
export function errorLine(cause: unknown, line?: number): string {
  const code = (cause as { code?: unknown } | null)?.code ?? 'ERR_UNEXPECTED';
  return JSON.stringify({ error: { code, message: messageOf(cause) }, line });
}

const notFromHere = new LearnError(
  'ERR_INVALID_OPTION',
  '"save" is accepted from standard input only: otherwise any peer could replace any file of this user',
);

const thisEnds = 'this connection ends, as its first line is not a JSON object';

const notLines = new LearnError(
  'ERR_DATA_FORMAT',
  `Expected lines of JSON, such as {"metrics": true}, not HTTP or the like; ${thisEnds}`,
);

const tooSlow = new LearnError(
  'ERR_BUSY',
  'Others wait for the memory of an unfinished line, or of answers that are not being read; connect again',
);

function tooLong({ inputs }: SampleForm, { line }: Limits): LearnError {
  const values = inputs.map(({ dtype, shape }) => `${dtype} values, [${shape.join(', ')}]`).join(', and ');
  return new LearnError(
    'ERR_DATA_FORMAT',
    `Expected a line of at most ${line} bytes: a sample of ${values}, needs no more`,
  );
}

/** Bytes of a request's sample. */
function bytesIn(request: Request | Refusal): number {
  const inputs = 'inputs' in request ? request.inputs : [];
  const targets = 'target' in request && typeof request.target !== 'number' ? [request.target] : [];
  return [...inputs, ...targets].reduce((bytes, { byteLength }) => bytes + byteLength, 0);
}

const [space, tab, brace] = [0x20, 0x09, 0x7b];

function isBlank(line: Uint8Array): boolean {
  return line.length < 1024 && Buffer.from(line).toString('latin1').trim() === '';
}
