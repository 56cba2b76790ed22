// A learner and its peers, from the first line to the last answer.
import { once } from 'node:events';
import type net from 'node:net';
import type { Writable } from 'node:stream';
import type { OnlineLearner } from '../../online/learner';
import { Answers } from './answers';
import { Conversation, type Peer } from './conversation';
import { listen } from './sockets';

/** How long peers who do not read their answers, and those who do not hang up, are waited for when all is to stop. */
const patienceMs = { toRead: 2000, toHangUp: 250 };

export class Serving {
  readonly #learner: OnlineLearner;
  readonly #answers: Answers;
  readonly #conversations = new Set<Conversation>();
  readonly #servers: net.Server[] = [];
  /** Resolved when they are closed. */
  readonly #sockets = new Map<net.Socket, Promise<void>>();
  readonly #stop = new AbortController();
  #failure: { cause: unknown } | undefined;

  constructor(learner: OnlineLearner) {
    this.#learner = learner;
    this.#answers = new Answers(learner, (cause) => {
      this.#failure ??= { cause };
      this.stop();
    });
  }

  /** Reads no more. */
  readonly stop = (): void => {
    this.#stop.abort();
    for (const server of this.#servers) server.close();
    for (const conversation of this.#conversations) conversation.stop();
  };

  /** Serves whoever connects. Resolves with a name of the place for people. */
  async listen(at: Parameters<typeof listen>[0]): Promise<string> {
    const { server, name } = await listen(at, (socket) => void this.#serve(socket));
    this.#servers.push(server);
    return name;
  }

  async #serve(socket: net.Socket): Promise<void> {
    // Who has left needs no answer.
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    this.#sockets.set(socket, closed);
    closed.then(() => this.#sockets.delete(socket));
    const conversation = this.#converse({ input: socket, write: writerTo(socket), trusted: false });
    await conversation.read.catch(() => {});
    await conversation.answered;
    socket.end();
    // It may have more to say, which nobody will hear.
    socket.resume();
  }

  #converse(peer: Peer): Conversation {
    // One batch is learned while the next one fills.
    const terms = { form: this.#learner.sample, mostLines: 2 * this.#learner.batchSize };
    const conversation = new Conversation(peer, this.#answers, terms);
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
      // Without waiting for a full batch.
      await this.#learner.close();
      if (isInterrupted) allTaken = await within(patienceMs.toRead, answered);
      else await Promise.all(answered);
      await within(patienceMs.toHangUp, this.#sockets.values());
      for (const socket of this.#sockets.keys()) socket.destroy();
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
