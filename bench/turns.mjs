// Competitors that take turns: each is a process of its own that stays, and does a piece of work, timed by itself, for each
// line that it is sent. So whatever else the machine does meets all of them alike, and each is warm.
import { spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import { images, python, root } from './support.mjs';

/** A process, started at its first turn, that answers each line with a line of JSON. */
function competitor(name, command, args, cwd) {
  let child;
  let answers;
  const start = () => {
    child = spawn(command, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => {});
    answers = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  };
  return {
    name,
    async turn() {
      if (!child) start();
      child.stdin.write('\n');
      const { value, done } = await answers.next();
      if (done) throw new Error(`${name} ended without an answer: ${command} ${args.join(' ')}`);
      return JSON.parse(value);
    },
    async end() {
      if (!child) return;
      const closed = new Promise((resolve) => child.on('close', resolve));
      child.stdin.end();
      await (child.exitCode ?? closed);
      child = undefined;
    },
  };
}

/** A program that is built already. */
export const program = (name, file, args) => competitor(name, file, args);

/** One of bench/children/, given `plan` as JSON. */
export const ours = (name, plan, file = 'train.mjs') =>
  competitor(name, process.execPath, [path.join(root, 'bench/children', file), JSON.stringify(plan)]);

/** One of bench/reference/ with the same images. */
export const theirs = (name, args, file = 'tuned.py') =>
  competitor(name, python(), [path.join(root, 'bench/reference', file), '--data', images(), ...args.map(String)]);

const told = new Set();

/** Says once, and aloud, that a competitor is refused. */
export function tell(name, refusal) {
  if (!told.has(name)) console.error(`!!! ${name} TAKES NO PART: ${refusal}`);
  told.add(name);
}

/**
 * Lets `competitors` take turns, `rounds` times after one that warms up, and returns the answers of each by name. One that
 * answers that it is refused takes no part, which is said aloud: an option that this version does not have.
 */
export async function inTurns(competitors, rounds, { fresh = false } = {}) {
  const answers = Object.fromEntries(competitors.map(({ name }) => [name, []]));
  try {
    for (let round = fresh ? 1 : 0; round <= rounds; round++) {
      for (const { name, turn, end } of competitors.filter(({ name }) => answers[name])) {
        const answer = await turn();
        // A process for each turn, where the start is a part of how it is used.
        if (fresh || answer.refused) await end();
        if (answer.refused) {
          tell(name, answer.refused);
          delete answers[name];
        } else if (round > 0) answers[name].push(answer);
      }
    }
  } finally {
    await Promise.all(competitors.map(({ end }) => end()));
  }
  return answers;
}
