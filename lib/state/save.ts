// Saves states as checkpoints.
import { writeSafetensors } from '../checkpoint/safetensors/write';
import { writeCheckpoint } from '../checkpoint/write';
import { checkOptions, invalid, isOneOf, isPath, isSignal } from '../core/checks';
import { heldHandle, holding, State, treeOf } from './state';
import { warnOfLeft } from './warnings';

/** Options of {@link saveState}. */
export interface SaveOptions {
  /**
   * 'pth': the format of torch.save. 'safetensors': tensors and strings only. Default: 'safetensors' if the path ends with
   * '.safetensors', otherwise 'pth'.
   */
  format?: 'pth' | 'safetensors';
  /** Rejects with its reason when it is aborted; the old file is then unchanged. */
  signal?: AbortSignal;
}

/**
 * Saves what torch.save would, for Python to load: the state dict, byte for byte, and around it what else its file held.
 * The file is replaced all at once: with a crash, an abort or a full disk, what was there before is still there. A
 * symbolic link is followed. What Python's weights_only or loadState would refuse is left out: the item of a dict or a set, and
 * None where it was in a list or a tuple. A process warning says what, and why. A
 * safetensors file gets the state's tensors, each in full, and strings of its metadata; the warning says what it did not.
 *
 * @example
 * ```ts
 * await saveState(await loadState('model.pth'), 'model.safetensors');
 * ```
 */
export async function saveState(state: State, file: string, options: SaveOptions = {}): Promise<void> {
  if (!(state instanceof State)) throw invalid('a State', 'state', state);
  isPath(file, 'path');
  const checks = { format: isOneOf(['pth', 'safetensors']), signal: isSignal };
  const { format = file.endsWith('.safetensors') ? 'safetensors' : 'pth', signal } = checkOptions(
    'saveState',
    options,
    checks,
  );
  await holding(state, async () => {
    if (format === 'pth') {
      const left = await writeCheckpoint(treeOf(state).root, file, { signal });
      warnOfLeft(file, left, "PyTorch's weights_only or loadState would refuse it");
    } else {
      const { tensors, metadata } = state;
      const left = await writeSafetensors({ handle: heldHandle(state), tensors, metadata }, file, signal);
      warnOfLeft(file, left, 'a safetensors file holds tensors by name and strings only');
    }
  });
}
