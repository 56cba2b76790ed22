// One peer's lines and their answers, in the order of the lines, though many are worked on at once. As long as answers are not
// read, no more lines are: memory stays as it is.
import type { Readable } from 'node:stream';
import { LearnError, messageOf } from '../../errors';
import type { SampleForm } from '../../online/learner';
import type { Answers } from './answers';
import { type Line, linesOf } from './lines';
import { type Request, understand } from './requests';

const longestLine = 16 * 2 ** 20;
/** Bytes of lines that are worked on, unless it is a single one. */
const mostBytes = 4 * longestLine;

export interface Peer {
  input: Readable;
  /** Resolves when the line is on its way; never rejects. */
  write(line: string): Promise<void>;
  /** It may do what this process may. */
  trusted: boolean;
}

export interface Terms {
  form: SampleForm;
  /** Lines that are worked on at once. */
  mostLines: number;
}

export class Conversation {
  /** Resolves when no more is read. */
  readonly read: Promise<void>;
  readonly #peer: Peer;
  readonly #answers: Answers;
  readonly #terms: Terms;
  #lines = 0;
  #bytes = 0;
  #written: Promise<void> = Promise.resolve();
  #stopped = false;
  /** Wakes up who waits for an answer to be written, or for more to read. */
  #freed = () => {};
  #leave = () => {};

  constructor(peer: Peer, answers: Answers, terms: Terms) {
    this.#peer = peer;
    this.#answers = answers;
    this.#terms = terms;
    this.read = this.#read();
  }

  /** Resolves when what was read is answered. */
  get answered(): Promise<void> {
    return this.#written;
  }

  /** Reads no more. */
  stop(): void {
    this.#stopped = true;
    this.#freed();
    this.#leave();
  }

  async #read(): Promise<void> {
    for await (const line of linesOf(this.#chunks(), longestLine)) {
      if (line.bytes && isBlank(line.bytes)) continue;
      const size = line.bytes?.length ?? 0;
      const request = this.#understand(line);
      await this.#until(() => this.#lines < this.#terms.mostLines && this.#bytes + size <= mostBytes);
      // What tells or changes the state of things comes after all lines before it, and before all lines after it.
      const isAlone = !['learn', 'predict', 'feedback', 'none'].includes(request.kind);
      if (isAlone) await this.#until(() => false);
      if (this.#stopped) return;
      this.#answer(request, line.number, size);
      if (isAlone) await this.#until(() => false);
      if (request.kind === 'none' && request.isLast) return;
    }
  }

  /** The input's chunks, until the end or stop(). */
  async *#chunks(): AsyncGenerator<Uint8Array> {
    const chunks: AsyncIterator<Uint8Array> = this.#peer.input.iterator({ destroyOnReturn: false });
    while (!this.#stopped) {
      const next = await new Promise<IteratorResult<Uint8Array> | undefined>((resolve, reject) => {
        this.#leave = () => resolve(undefined);
        chunks.next().then(resolve, reject);
      });
      if (!next || next.done) return;
      yield next.value;
    }
  }

  /** Waits for that, or until nothing is in hand, or for stop(). */
  async #until(isTrue: () => boolean): Promise<void> {
    while (this.#lines > 0 && !isTrue() && !this.#stopped) {
      await new Promise<void>((resolve) => {
        this.#freed = resolve;
      });
    }
  }

  #answer(request: Request | Refusal, number: number, size: number): void {
    this.#lines++;
    this.#bytes += size;
    const answer = this.#answerTo(request, number);
    this.#written = this.#written.then(async () => {
      await this.#peer.write(await answer);
      this.#lines--;
      this.#bytes -= size;
      this.#freed();
    });
  }

  /** Never rejects. */
  async #answerTo(request: Request | Refusal, line: number): Promise<string> {
    try {
      if (request.kind === 'none') throw request.cause;
      return JSON.stringify(await this.#answers.to(request));
    } catch (cause) {
      const code = cause instanceof LearnError ? cause.code : ((cause as { code?: unknown }).code ?? 'ERR_UNEXPECTED');
      return JSON.stringify({ error: { code, message: messageOf(cause) }, line });
    }
  }

  #understand({ bytes, number }: Line): Request | Refusal {
    try {
      if (!bytes) throw new LearnError('ERR_DATA_FORMAT', `Expected a line of at most ${longestLine} bytes`);
      if (!this.#peer.trusted && number === 1 && isHttp(bytes)) return refusal(httpPeer, true);
      const request = understand(bytes, this.#terms.form);
      if (request.kind === 'save' && !this.#peer.trusted) throw notFromHere;
      return request;
    } catch (cause) {
      return refusal(cause);
    }
  }
}

/** No request. */
interface Refusal {
  kind: 'none';
  cause: unknown;
  /** Nothing more is read. */
  isLast: boolean;
}

const refusal = (cause: unknown, isLast = false): Refusal => ({ kind: 'none', cause, isLast });

const notFromHere = new LearnError(
  'ERR_INVALID_OPTION',
  '"save" is taken from standard input only: whoever reaches the socket could have any file of this user replaced',
);

const httpPeer = new LearnError('ERR_DATA_FORMAT', 'Expected lines of JSON, but this is HTTP');

/** A web page can make a browser send a request to any port of its own machine, with lines of JSON as its body. */
function isHttp(line: Uint8Array): boolean {
  return /^[A-Z]+ .* HTTP\/\d/.test(Buffer.from(line.subarray(0, 8192)).toString('latin1'));
}

function isBlank(line: Uint8Array): boolean {
  return line.length < 1024 && Buffer.from(line).toString('latin1').trim() === '';
}
