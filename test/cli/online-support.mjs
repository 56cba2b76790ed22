// Shared by the tests of `torch-incremental online`: request lines, and a running command to send them to.
import { spawn } from 'node:child_process';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { root } from '../support.mjs';
import { binary } from './run.mjs';

/** The form of samples with one input and a class. */
export const formOf = (dtype, shape) => ({
  inputs: [{ name: 'input', dtype, shape }],
  target: { kind: 'class', shape: [] },
  classes: 10,
});

/** Lines that teach made-up images, with the ids `first` … */
export function lessons({ inputs, labels }, { first = 0 } = {}) {
  return Array.from(labels, (label, i) => {
    const input = Buffer.from(inputs.subarray(i * 3072, (i + 1) * 3072)).toString('base64');
    return JSON.stringify({ id: `image ${first + i}`, input, label });
  });
}

const running = new Set();

/** Ends processes that a failed test left. Call in afterEach(). */
export async function endLeftovers() {
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
}

/** The command with pipes, which takes lines and gives parsed answers, one after the other. `files`: how many it may open. */
export function begin(args, { cwd = root, files } = {}) {
  const command = [process.execPath, binary, 'online', ...args];
  const [program, ...rest] = files ? ['sh', '-c', `ulimit -n ${files}; exec "$0" "$@"`, ...command] : command;
  const child = spawn(program, rest, { cwd });
  const { stdin, stdout, stderr } = child;
  // It may have ended.
  stdin.on('error', () => {});
  let said = '';
  stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const peer = peerOf(stdin, stdout);
  const ended = new Promise((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(handle);
      resolve({ code, signal, stderr: said });
    });
  });
  const handle = { child, ended };
  running.add(handle);
  return {
    ...{ ...peer, child, ended },
    /** Sends lines and the end of the input; resolves when the command ended. */
    finish: async (...lines) => {
      peer.send(...lines);
      stdin.end();
      const rest = [];
      for await (const answer of peer.answers) rest.push(answer);
      return { ...(await ended), answers: rest };
    },
    /** Resolves with the first match in what it says on standard error. */
    says: async (pattern) => {
      while (!pattern.test(said)) {
        if (child.exitCode !== null) throw new Error(`it ended without saying ${pattern}: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      return said.match(pattern);
    },
  };
}

/** The command at a Unix socket or a port; `connect()` makes a peer of it. */
export async function beginAt(where, args, options = {}) {
  const running = begin([...where, ...args], options);
  const [, place] = await running.says(/Listening at (.+)\n/);
  const port = place.match(/^127\.0\.0\.1:(\d+)$/)?.[1];
  const connect = () => {
    const socket = port ? net.connect(Number(port), '127.0.0.1') : net.connect(place);
    socket.on('error', () => {});
    return { socket, ...peerOf(socket, socket) };
  };
  return { ...running, connect, port: port && Number(port) };
}

/** Who writes lines to one stream and gets the answers from another. */
export function peerOf(input, output) {
  const answers = answersIn(output);
  const send = (...lines) =>
    input.write(lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return {
    ...{ answers, send },
    /** Sends lines and resolves with their answers. */
    ask: (...lines) => {
      send(...lines);
      return take(answers, lines.length);
    },
  };
}

/** Parsed lines of a stream, as they are asked for: until then it is not read. */
async function* answersIn(stream) {
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }))
    yield JSON.parse(line);
}

/** The next `count` answers. */
export async function take(answers, count) {
  const taken = [];
  while (taken.length < count) {
    const { value, done } = await answers.next();
    if (done) throw new Error(`only ${taken.length} answers came: ${JSON.stringify(taken)}`);
    taken.push(value);
  }
  return taken;
}
