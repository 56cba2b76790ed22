// Peers with made-up answers, in this process: memory and turns are counted, nothing is timed.
import { PassThrough } from 'node:stream';
import conversations from '../../dist/cli/online/conversation.js';
import limits from '../../dist/cli/online/limits.js';
import rooms from '../../dist/cli/online/room.js';
import turns from '../../dist/cli/online/rounds.js';
import { formOf } from './online-support.mjs';

const form = formOf('uint8', [8]);

/** What conversations share. `answer`: makes an answer of a request; `asked` has all requests that came, in order. */
export function termsOf({ answer = async () => ({}), patienceMs = 60_000, ...given } = {}) {
  const asked = [];
  const terms = {
    form,
    limits: { ...limits.limitsOf(form, 4), ...given },
    rounds: new turns.Rounds(),
    answers: {
      to: async (request) => {
        asked.push(request);
        return answer(request);
      },
    },
    asked,
  };
  const { own, shared } = terms.limits;
  return { ...terms, room: new rooms.Room({ own, shared, patienceMs }) };
}

/** A peer that sends `chunks`. `reads`: whether it takes its answers. `end`: whether it says that it has said all. */
export function converse(terms, chunks, { trusted = false, reads = true, end = true } = {}) {
  const input = new PassThrough({ highWaterMark: 2 ** 30 });
  for (const chunk of chunks) input.write(chunk);
  if (end) input.end();
  const written = [];
  const dismissed = [];
  let leave;
  const gone = new Promise((resolve) => {
    leave = resolve;
  });
  const peer = {
    input,
    trusted,
    write: (line) => {
      written.push(JSON.parse(line));
      return reads ? Promise.resolve() : gone;
    },
    dismiss: (error) => {
      dismissed.push(error);
      input.destroy();
      leave();
    },
  };
  const conversation = new conversations.Conversation(peer, terms);
  const done = conversation.read.catch(() => {}).then(() => conversation.answered);
  return { conversation, input, written, dismissed, done };
}

/** Lets everything happen that needs no time. */
export async function settle(turns = 50) {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
