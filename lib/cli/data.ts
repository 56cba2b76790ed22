// Opens the data of a command: CIFAR-10 in a folder, downloaded first if requested, with progress on standard error.

import type { Dataset } from '../datasets';
import { cifar10, downloadCifar10 } from '../datasets/cifar10/cifar10';
import { type Context, on, text } from './command';
import { downloadView } from './download-view';

export const dataOptions = {
  data: text('dir', 'Folder with CIFAR-10 in either layout (default: ./data, downloaded if missing)'),
  download: on('Download CIFAR-10 (170 MB) into --data <dir> if it is missing'),
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
  const { onProgress, stop } = downloadView('Downloading CIFAR-10', `Downloading CIFAR-10 into ${root}`, signal);
  try {
    await downloadCifar10({ root, signal, onProgress });
  } finally {
    stop();
  }
}
