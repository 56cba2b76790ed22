// Serves peers with a learner, from the first line to the last answer.
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
 * Time limits for peers. When the command stops: to read their answers, and to hang up. After a conversation: to stop sending. While
 * others wait for room: to finish a line or read an answer.
 */
const patienceMs = { toRead: 2000, toHangUp: 250, toLeave: 2000, toMakeRoom: 10_000 };

export class Serving {
  readonly #learner: OnlineLearner;
  readonly #answers: Answers;
  readonly #conversations = new Set<Conversation>();
  readonly #servers: net.Server[] = [];
  readonly #terms: Terms;
  /** undefined: it does not listen. */
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

  /** Stops reading. */
  readonly stop = (): void => {
    this.#stop.abort();
    for (const server of this.#servers) server.close();
    for (const conversation of this.#conversations) conversation.stop();
  };

  /** Serves peers that connect. Resolves with the address, for people. */
  async listen(at: Parameters<typeof listen>[0]): Promise<string> {
    const connections = this.#connections ?? new Connections();
    this.#connections = connections;
    const { server, name } = await listen(at, (socket) => {
      if (connections.admit(socket)) void this.#serve(socket, connections);
    });
    // Such as a shortage of descriptors: the next peer is not connected, and the others are not affected.
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
    // Input is discarded for a while: a peer that is disconnected while it is sending may never read its last answer.
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
   * Runs until the input of `peer` ends, or without one until stop(). Then learns the samples that wait, and closes the learner.
   * Resolves with whether all answers were read.
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
      // Without waiting for a full batch. A failure is thrown after peers have their answers.
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

/** Whether all of `work` ended in that time. */
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

/** Resolves when the system has the line, or the stream has ended. */
export function writerTo(stream: Writable): Peer['write'] {
  return (line) => new Promise((resolve) => stream.write(`${line}\n`, () => resolve()));
}
