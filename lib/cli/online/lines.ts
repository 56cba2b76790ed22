// The lines of a stream of bytes. Each is kept only as long as it is short enough.
const firstRoom = 65_536;

export interface Line {
  /** From 1. */
  number: number;
  /** Without what ends it; undefined: it is longer than it may be. Gone with the next line. */
  bytes: Uint8Array | undefined;
}

export async function* linesOf(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<Line> {
  const begun = new Begun(longest);
  let number = 1;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const rest = chunk.subarray(start, end);
      // Whoever sends a line that is too long hears of it before its end.
      const isTold = begun.isTooLong;
      const bytes = begun.end(rest);
      if (!isTold) yield { number, bytes };
      number++;
      start = end + 1;
    }
    if (begun.isTooLong) continue;
    begun.add(chunk.subarray(start));
    if (begun.isTooLong) yield { number, bytes: undefined };
  }
  if (begun.length > 0 && !begun.isTooLong) yield { number, bytes: begun.end(new Uint8Array(0)) };
}

/** A line whose end is yet to come. */
class Begun {
  length = 0;
  readonly #longest: number;
  /** In one piece: as a list, the single bytes of a slow sender would take hundreds of times their size. */
  #room = new Uint8Array(firstRoom);

  constructor(longest: number) {
    this.#longest = longest;
  }

  get isTooLong(): boolean {
    return this.length > this.#longest;
  }

  add(part: Uint8Array): void {
    const before = this.length;
    this.length += part.length;
    if (this.isTooLong) {
      this.#room = new Uint8Array(firstRoom);
      return;
    }
    if (this.length > this.#room.length) {
      const larger = new Uint8Array(Math.min(this.#longest, Math.max(this.length, 2 * this.#room.length)));
      larger.set(this.#room.subarray(0, before));
      this.#room = larger;
    }
    this.#room.set(part, before);
  }

  /** The whole line, `rest` being its end; undefined where it is too long. What comes next is another line. */
  end(rest: Uint8Array): Uint8Array | undefined {
    const isInOnePiece = this.length === 0 && rest.length <= this.#longest;
    if (!isInOnePiece) this.add(rest);
    const bytes = isInOnePiece ? rest : this.isTooLong ? undefined : this.#room.subarray(0, this.length);
    this.length = 0;
    if (this.#room.length > firstRoom) this.#room = new Uint8Array(firstRoom);
    return bytes;
  }
}
