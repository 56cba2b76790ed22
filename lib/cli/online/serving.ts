// A learner and its peers, from the first line to the last answer.
import { once } from 'node:events';
import type net from 'node:net';
import type { Writable } from 'node:stream';
import type { OnlineLearner } from '../../online/learner';
import { Answers } from './answers';
import { Connections, dismiss } from './connections';
import { Conversation, type Peer, type Terms } from './conversation';
import { limitsOf } from './limits';
import { Room } from './room';
import { Rounds } from './rounds';
import { listen } from './sockets';

/**
 * Waits for peers. When the command stops: until they have read their answers, and until they have hung up. After a conversation:
 * until they stop sending. While others wait for room: until they finish a line or read an answer.
 */
const patienceMs = { toRead: 2000, toHangUp: 250, toLeave: 2000, toMakeRoom: 10_000 };

export class Serving {
  readonly #learner: OnlineLearner;
  readonly #answers: Answers;
  readonly #conversations = new Set<Conversation>();
  readonly #servers: net.Server[] = [];
  readonly #terms: Terms;
  /** undefined: it listens nowhere. */
  #connections: Connections | undefined;
  readonly #stop = new AbortController();
  #failure: { cause: unknown } | undefined;

  constructor(learner: OnlineLearner) {
    this.#learner = learner;
    this.#answers = new Answers(learner, (cause) => {
      this.#failure ??= { cause };
      this.stop();
    });
    const form = learner.sample;
    const limits = limitsOf(form, learner.batchSize);
    const room = new Room({ own: limits.own, shared: limits.shared, patienceMs: patienceMs.toMakeRoom });
    this.#terms = { form, limits, room, rounds: new Rounds(), answers: this.#answers };
  }

  /** Reads no more. */
  readonly stop = (): void => {
    this.#stop.abort();
    for (const server of this.#servers) server.close();
    for (const conversation of this.#conversations) conversation.stop();
  };

  /** Serves whoever connects. Resolves with a name of the place for people. */
  async listen(at: Parameters<typeof listen>[0]): Promise<string> {
    const connections = this.#connections ?? new Connections();
    this.#connections = connections;
    const { server, name } = await listen(at, (socket) => {
      if (connections.admit(socket)) void this.#serve(socket, connections);
    });
    // Such as a lack of descriptors: the next peer is not connected, and the others do not notice.
    server.on('error', () => connections.makeRoom());
    this.#servers.push(server);
    return name;
  }

  async #serve(socket: net.Socket, connections: Connections): Promise<void> {
    const conversation = this.#converse({
      input: socket,
      write: writerTo(socket),
      dismiss: (error) => dismiss(socket, error),
      trusted: false,
    });
    connections.follow(socket, conversation);
    await conversation.read.catch(() => {});
    await conversation.answered;
    socket.end();
    // Input is discarded, for a while: a peer that is still sending when it is cut off may never read its last answer.
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), patienceMs.toLeave).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  #converse(peer: Peer): Conversation {
    const conversation = new Conversation(peer, this.#terms);
    this.#conversations.add(conversation);
    const forget = async () => {
      await conversation.answered;
      this.#conversations.delete(conversation);
    };
    conversation.read.then(forget, forget);
    if (this.#stop.signal.aborted) conversation.stop();
    return conversation;
  }

  /**
   * Until `peer` has said all, or without one until stop(). Then what waits is learned and the learner closed. Resolves with
   * whether all answers were taken.
   */
  async run(peer: Peer | undefined): Promise<boolean> {
    const { signal } = this.#stop;
    let allTaken = true;
    try {
      if (peer) await this.#converse(peer).read;
      else if (!signal.aborted) await once(signal, 'abort');
    } finally {
      const answered = [...this.#conversations].map((conversation) => conversation.answered);
      const isInterrupted = signal.aborted;
      this.stop();
      await this.#answers.predicted;
      // Without waiting for a full batch. What fails is thrown when peers have their answers.
      await this.#learner.close().catch((cause) => {
        this.#failure ??= { cause };
      });
      if (isInterrupted) allTaken = await within(patienceMs.toRead, answered);
      else await Promise.all(answered);
      if (this.#connections) await within(patienceMs.toHangUp, this.#connections.closed);
      this.#connections?.destroyAll();
    }
    if (this.#failure) throw this.#failure.cause;
    return allTaken;
  }
}

/** Whether all of them were done in that time. */
async function within(ms: number, work: Iterable<Promise<void>>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = Promise.all(work).then(() => true);
  const isDone = await Promise.race([done, late]);
  clearTimeout(timer);
  return isDone;
}

/** Resolves when the line is with the system, or the stream has ended. */
export function writerTo(stream: Writable): Peer['write'] {
  return (line) => new Promise((resolve) => stream.write(`${line}\n`, () => resolve()));
}
