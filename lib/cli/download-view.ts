// Shows the progress of a download on standard error: a bar on a terminal, a line for every 10 % in a log.

import { bytes, percent } from '../core/format';
import type { DownloadProgress } from '../download/fetch-file';
import { DownloadBar } from './bar';
import { errorColors } from './terminal';

export interface DownloadView {
  onProgress(progress: DownloadProgress): void;
  /** Leaves the last line on the terminal; the next progress begins a new one. */
  stop(): void;
}

/** `label` is for the bar, `line` begins each line of a log. Stops at an abort, before anything is printed about it. */
export function downloadView(label: string, line: string, signal: AbortSignal): DownloadView {
  const { stderr } = process;
  const bar = stderr.isTTY ? new DownloadBar(label, stderr, errorColors()) : undefined;
  const stop = () => bar?.stop();
  signal.addEventListener('abort', stop, { once: true });
  const onProgress = bar?.onProgress ?? logLines(line);
  return {
    onProgress: (progress) => {
      if (!signal.aborted) onProgress(progress);
    },
    stop,
  };
}

function logLines(line: string): (progress: DownloadProgress) => void {
  let next = 0;
  return ({ received, total }) => {
    const share = total ? received / total : 0;
    if (share < next) return;
    next = Math.floor(share * 10) / 10 + 0.1;
    process.stderr.write(`${line}: ${percent(share)} (${bytes(received)})\n`);
  };
}
