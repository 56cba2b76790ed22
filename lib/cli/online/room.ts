// Room: the memory that peers share for unfinished lines, samples that are worked on, and answers that are not read. Rules:
//
// 1. Each peer has a little of its own, so that no other peer can keep a short line from being answered.
// 2. The rest is shared, first come, first served. Input of a peer pauses while it waits for room.
// 3. A line that grows long takes all the room it can ever need at once: peers that each held a part and waited for the rest would
//    wait for ever.
// 4. While others wait, a holder has patienceMs to finish its line or to read its answers. Then it is disconnected.

/** A peer that takes room. */
export interface Holder {
  /** When it last finished a line or read an answer, by performance.now(); undefined: it waits for an answer. */
  readonly quietSince: number | undefined;
  /** Returns all its room. */
  evict(): void;
}

export interface RoomLimits {
  own: number;
  shared: number;
  patienceMs: number;
}

export class Room {
  readonly limits: RoomLimits;
  readonly #holders = new Set<Allowance>();
  /** Oldest first. */
  readonly #waiting: Waiting[] = [];
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: RoomLimits) {
    this.limits = limits;
  }

  /** Bytes of the shared part that are taken. */
  get taken(): number {
    return this.#taken;
  }

  for(holder: Holder): Allowance {
    return new Allowance(this, holder);
  }

  /** For Allowance. Resolves with true when there is room, with false when the allowance leaves first. */
  take(allowance: Allowance, bytes: number): Promise<boolean> | boolean {
    const needed = this.#sharedPart(allowance, bytes);
    if (needed === 0 || (this.#waiting.length === 0 && this.#taken + needed <= this.limits.shared)) {
      this.change(allowance, bytes);
      return true;
    }
    return new Promise((resolve) => {
      this.#waiting.push({ allowance, bytes, resolve });
      this.#watch();
    });
  }

  /** For Allowance: changes the bytes that it holds. */
  change(allowance: Allowance, bytes: number): void {
    this.#taken += this.#sharedPart(allowance, bytes);
    allowance.held += bytes;
    if (allowance.held > this.limits.own) this.#holders.add(allowance);
    else this.#holders.delete(allowance);
    if (bytes < 0) this.#serve();
  }

  /** For Allowance: ends its wait. */
  leave(allowance: Allowance): void {
    const at = this.#waiting.findIndex((waiting) => waiting.allowance === allowance);
    if (at === -1) return;
    for (const { resolve } of this.#waiting.splice(at, 1)) resolve(false);
    this.#serve();
  }

  /** Change of the taken bytes of the shared part if an allowance holds that many more. */
  #sharedPart({ held }: Allowance, bytes: number): number {
    const beyond = (size: number) => Math.max(0, size - this.limits.own);
    return beyond(held + bytes) - beyond(held);
  }

  /** Gives room to those that wait, in order, and to those that no longer need any of the shared part. */
  #serve(): void {
    let isFull = false;
    for (const waiting of [...this.#waiting]) {
      const { allowance, bytes, resolve } = waiting;
      const needed = this.#sharedPart(allowance, bytes);
      if (needed > 0 && (isFull || this.#taken + needed > this.limits.shared)) {
        isFull = true;
        continue;
      }
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      this.change(allowance, bytes);
      resolve(true);
    }
  }

  /** Evicts quiet holders as long as an allowance waits. */
  #watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#waiting.length === 0) return;
      const now = performance.now();
      for (const { holder } of [...this.#holders]) {
        const since = holder.quietSince;
        if (since !== undefined && now - since >= this.limits.patienceMs) holder.evict();
      }
      this.#watch();
    }, this.limits.patienceMs / 4).unref();
  }
}

interface Waiting {
  allowance: Allowance;
  bytes: number;
  resolve: (hasRoom: boolean) => void;
}

/** The room of one peer. */
export class Allowance {
  /** Bytes. Only Room changes them. */
  held = 0;
  readonly holder: Holder;
  readonly #room: Room;
  #hasLeft = false;

  constructor(room: Room, holder: Holder) {
    this.#room = room;
    this.holder = holder;
  }

  /** Waits for room, one call at a time. Resolves with undefined after leave(). */
  async take(bytes: number): Promise<Lease | undefined> {
    const hasRoom = !this.#hasLeft && (await this.#room.take(this, bytes));
    return hasRoom ? new Lease(this.#room, this, bytes) : undefined;
  }

  /** Takes no more, and ends the wait of take(). */
  leave(): void {
    this.#hasLeft = true;
    this.#room.leave(this);
  }
}

export class Lease {
  readonly #room: Room;
  readonly #allowance: Allowance;
  #bytes: number;

  constructor(room: Room, allowance: Allowance, bytes: number) {
    this.#room = room;
    this.#allowance = allowance;
    this.#bytes = bytes;
  }

  /** Returns all bytes beyond these. */
  shrink(bytes: number): void {
    if (bytes >= this.#bytes) return;
    this.#room.change(this.#allowance, bytes - this.#bytes);
    this.#bytes = bytes;
  }
}
