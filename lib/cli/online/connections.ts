// Limits connections. Each takes a descriptor, and a learner that cannot open its next file ends: peers never get the last
// descriptors.
import fs from 'node:fs';
import type net from 'node:net';
import { LearnError } from '../../core/errors';
import { errorLine } from './conversation';

const mostConnections = 1024;
/** For the journal, snapshots, versions, predictions that wait for their labels, and a peer that is being refused. */
const reservedDescriptors = 64;
/** How long a peer may be quiet while another wants its place: one that has sent no line yet, and one that has. */
const patienceMs = { stranger: 1000, acquaintance: 30_000 };

/** Activity of a peer. */
export interface Visit {
  /** When it last finished a line or read an answer, by performance.now(); undefined: it waits for an answer. */
  readonly quietSince: number | undefined;
  readonly hasSpoken: boolean;
}

export class Connections {
  readonly #most: number;
  readonly #visits = new Map<net.Socket, Visit>();
  readonly #closed = new Map<net.Socket, Promise<void>>();

  constructor(most = connectionsOf(descriptorLimit(), openDescriptors())) {
    this.#most = most;
  }

  /** Each resolves when its connection is closed. */
  get closed(): Iterable<Promise<void>> {
    return this.#closed.values();
  }

  /** Returns whether a peer may stay. Another gets an error and is disconnected. */
  admit(socket: net.Socket): boolean {
    // Peers that have left need no answer.
    socket.on('error', () => {});
    if (this.#visits.size >= this.#most && !this.makeRoom()) {
      dismiss(socket, new LearnError('ERR_BUSY', `All ${this.#most} connections are in use; try again later`));
      return false;
    }
    this.#visits.set(socket, { quietSince: performance.now(), hasSpoken: false });
    this.#closed.set(
      socket,
      new Promise((resolve) => {
        socket.once('close', () => {
          this.#visits.delete(socket);
          this.#closed.delete(socket);
          resolve();
        });
      }),
    );
    return true;
  }

  /** Sets where the activity of a peer is read. */
  follow(socket: net.Socket, visit: Visit): void {
    if (this.#visits.has(socket)) this.#visits.set(socket, visit);
  }

  /** Closes the connection that has been quiet longest, strangers before others. Returns whether one was quiet enough. */
  makeRoom(): boolean {
    const now = performance.now();
    let found: { socket: net.Socket; hasSpoken: boolean; quietSince: number } | undefined;
    for (const [socket, { quietSince, hasSpoken }] of this.#visits) {
      if (quietSince === undefined) continue;
      if (now - quietSince < (hasSpoken ? patienceMs.acquaintance : patienceMs.stranger)) continue;
      const isFirst = !found || (hasSpoken === found.hasSpoken ? quietSince < found.quietSince : !hasSpoken);
      if (isFirst) found = { socket, hasSpoken, quietSince };
    }
    if (!found) return false;
    this.#visits.delete(found.socket);
    dismiss(
      found.socket,
      new LearnError('ERR_BUSY', 'This connection was quiet, and another peer needs it; connect again'),
    );
    return true;
  }

  /** Closes all connections. */
  destroyAll(): void {
    for (const socket of this.#closed.keys()) socket.destroy();
  }
}

/** Sends an error and closes the connection. Its descriptor is free when this returns. */
export function dismiss(socket: net.Socket, error: LearnError): void {
  if (!socket.destroyed) socket.write(`${errorLine(error)}\n`);
  socket.destroy();
}

/** Connections that a process may have, of `limit` descriptors with `open` in use. */
export function connectionsOf(limit: number, open: number): number {
  const most = Math.min(mostConnections, limit - open - reservedDescriptors);
  if (most > 0) return most;
  const needed = open + reservedDescriptors + 1;
  throw new LearnError(
    'ERR_FILE',
    `This process may open ${limit} files, and needs ${needed} to serve peers: see ulimit -n`,
  );
}

function descriptorLimit(): number {
  try {
    const [, limit] = fs.readFileSync('/proc/self/limits', 'utf8').match(/^Max open files +(\d+|unlimited)/m)!;
    return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    // The least that systems set by default.
    return 256;
  }
}

function openDescriptors(): number {
  try {
    return fs.readdirSync('/proc/self/fd').length;
  } catch {
    return 64;
  }
}
