// The data of a command: CIFAR-10 in a folder, fetched first where that is wanted, with progress on standard error.
import { downloadCifar10 } from '../data/cifar10';
import { cifar10, type Dataset } from '../datasets';
import type { DownloadProgress } from '../download/fetch-file';
import { bytes, percent } from '../format';
import { DownloadBar } from './bar';
import { type Context, on, text } from './command';
import { errorColors } from './terminal';

export const dataOptions = {
  data: text('dir', 'Folder with CIFAR-10 in either layout (default: ./data, downloaded if missing)'),
  download: on('Download CIFAR-10 (170 MB) into --data <dir> if it is not there'),
};

export async function openData(
  { data: root = './data', download }: { data?: string | undefined; download?: boolean | undefined },
  train: boolean,
  { signal }: Pick<Context, 'signal'>,
): Promise<Dataset> {
  if (download ?? root === './data') await fetchCifar10(root, signal);
  return cifar10({ root, train });
}

async function fetchCifar10(root: string, signal: AbortSignal): Promise<void> {
  const { stderr } = process;
  const bar = stderr.isTTY ? new DownloadBar('Downloading CIFAR-10', stderr, errorColors()) : undefined;
  const stopBar = () => bar?.stop();
  signal.addEventListener('abort', stopBar);
  try {
    await downloadCifar10({ root, signal, onProgress: bar?.onProgress ?? downloadLines(root) });
  } finally {
    signal.removeEventListener('abort', stopBar);
    stopBar();
  }
}

/** For logs: a line for every tenth. */
function downloadLines(root: string): (progress: DownloadProgress) => void {
  let next = 0;
  return ({ received, total }) => {
    const share = total ? received / total : 0;
    if (share < next) return;
    next = Math.floor(share * 10) / 10 + 0.1;
    process.stderr.write(`Downloading CIFAR-10 into ${root}: ${percent(share)} (${bytes(received)})\n`);
  };
}
