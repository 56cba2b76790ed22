// One large file over https: resumed where it stopped, given up soon where nothing moves, checked by its SHA-256.
// Node's fetch knows no proxies; where one is needed, pip, which does, is asked next (libtorch.mjs).
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { say, sayBriefly } from './steps.mjs';

/** How long to wait for an answer and for the next byte: a machine without a network must know within seconds. */
const patience = { connectMs: 5_000, stallMs: 15_000, attempts: 6 };

/**
 * Puts `url` at `file`, through `part`, which survives an interruption and is continued. Rejects with a plain Error;
 * what turned out not to be the pinned file is deleted then.
 */
export async function download({ url, sha256, bytes }, file, options = {}) {
  const { connectMs, stallMs, attempts, part } = { ...patience, part: `${file}.part`, ...options };
  let failure;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = sizeOf(part);
    try {
      if (before < bytes) await fetchRest(url, part, bytes, { connectMs, stallMs });
      await checkFile(part, sha256, bytes);
      fs.renameSync(part, file);
      return;
    } catch (error) {
      failure = error.cause ?? error;
      // Only what makes progress, or starts over because the bytes at hand were wrong, is worth another try.
      if (sizeOf(part) === before) break;
    }
  }
  throw new Error(failure.message || failure.code);
}

async function fetchRest(url, part, bytes, { connectMs, stallMs }) {
  const start = sizeOf(part);
  const control = new AbortController();
  let timer;
  const expectWithin = (ms, what) => {
    clearTimeout(timer);
    timer = setTimeout(() => control.abort(new Error(`${what} for ${ms / 1000} s`)), ms);
  };
  try {
    expectWithin(connectMs, 'no answer');
    const headers = { 'accept-encoding': 'identity', ...(start > 0 && { range: `bytes=${start}-` }) };
    const response = await fetch(url, { headers, signal: control.signal });
    if (!response.ok) {
      if (response.status === 416) fs.rmSync(part, { force: true });
      throw new Error(`HTTP ${response.status} ${response.statusText}`);
    }
    // 200 to a range request is the whole file again.
    const resumes = response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${start}-`);
    const offset = resumes ? start : 0;
    const length = response.headers.get('content-length');
    if (length !== null && offset + Number(length) !== bytes) {
      throw new Error(`${offset + Number(length)} bytes are offered, ${bytes} expected: this is not the file`);
    }
    const progress = showProgress(bytes, offset);
    expectWithin(stallMs, 'nothing came');
    await pipeline(
      response.body,
      async function* (chunks) {
        for await (const chunk of chunks) {
          expectWithin(stallMs, 'nothing came');
          if (progress(chunk.length) > bytes) throw new Error(`more than the expected ${bytes} bytes came`);
          yield chunk;
        }
      },
      fs.createWriteStream(part, { flags: resumes ? 'a' : 'w' }),
    );
  } finally {
    clearTimeout(timer);
  }
}

/** Deletes `file` and throws unless it is the one with this size and hash. */
export async function checkFile(file, sha256, bytes) {
  const size = sizeOf(file);
  if (size < bytes) throw new Error(`only ${size} of ${bytes} bytes came`);
  const hash = createHash('sha256');
  await pipeline(fs.createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  const found = hash.digest('hex');
  if (size === bytes && found === sha256) return;
  fs.rmSync(file);
  throw new Error(`what came has SHA-256 ${found} and ${size} bytes, expected ${sha256} and ${bytes}; deleted it`);
}

/** Counts bytes and shows them: always the newest on a terminal, a line every tenth elsewhere. */
function showProgress(total, start) {
  const inMb = (count) => (count / 1e6).toFixed(0);
  let done = start;
  let shown = Math.floor((start / total) * 10);
  return (count) => {
    done += count;
    const text = `  ${inMb(done)} of ${inMb(total)} MB`;
    sayBriefly(text);
    const tenth = Math.floor((done / total) * 10);
    if (!process.stderr.isTTY && tenth > shown) say(text);
    shown = tenth;
    return done;
  };
}

function sizeOf(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
