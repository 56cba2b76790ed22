// Finds the torch of a Python on this machine, which is a build of libtorch.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { LearnError } from '../core/errors';

/** Finds torch without importing it, and ignores the current folder. */
const script = `
import sys
sys.path = [place for place in sys.path if place]
import importlib.util
found = importlib.util.find_spec("torch")
print(found.submodule_search_locations[0] if found and found.submodule_search_locations else "")
`;

/** Returns the folder of torch in `python3`, or in the Python that TORCH_INCREMENTAL_PYTHON names. */
export async function findPythonTorch(signal?: AbortSignal): Promise<string> {
  const python = process.env.TORCH_INCREMENTAL_PYTHON || 'python3';
  let folder: string;
  try {
    const { stdout } = await promisify(execFile)(python, ['-c', script], {
      timeout: 60_000,
      ...(signal && { signal }),
    });
    folder = stdout.trimEnd();
  } catch (cause) {
    signal?.throwIfAborted();
    const { code, stderr } = cause as { code?: unknown; stderr?: string };
    const reason = code === 'ENOENT' ? 'it was not found' : stderr?.trimEnd().split('\n').at(-1) || String(cause);
    throw missing(`${python} could not be asked for its torch: ${reason}`);
  }
  if (folder === '') throw missing(`${python} has no torch`);
  return folder;
}

function missing(text: string): LearnError {
  return new LearnError(
    'ERR_LIBTORCH_NOT_FOUND',
    `${text}. Name another Python in TORCH_INCREMENTAL_PYTHON. Nothing was changed`,
  );
}
