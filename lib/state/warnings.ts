// Process warnings about what a file, or the state that it is written from, does not contain.

import { step } from '../checkpoint/pickle/values';
import type { ShardIndex, ShardSizes } from '../checkpoint/shards';
import type { Tree } from '../checkpoint/tree';
import { printable } from '../core/printable';

/** Lists the tensors that "stripPrefix" left out of a state. */
export function warnOfLeftOut(file: string, { stripped }: Tree): void {
  const { prefix = '', leftOut = [] } = stripped ?? {};
  if (leftOut.length === 0) return;
  const what = listed(leftOut.map(step));
  process.emitWarning(
    printable(
      `Left out of the state of ${file}, since not under the prefix ${JSON.stringify(prefix)}, but in its metadata: ${what}`,
    ),
    { type: 'LearnWarning', code: 'WARN_LEFT_OUT' },
  );
}

/** Says that a sharded checkpoint is of another size than its index says, which its writers count with ties or without. */
export function warnOfTotalSize({ path, totalSize }: ShardIndex, { tensors, storages }: ShardSizes): void {
  if (totalSize === undefined || totalSize === tensors || totalSize === storages) return;
  process.emitWarning(
    printable(
      `${path} gives ${totalSize} bytes as its total_size, but its tensors have ${tensors}: the index is older or newer than they`,
    ),
    { type: 'LearnWarning', code: 'WARN_TOTAL_SIZE' },
  );
}

/** Lists the parts of a state that were not written to a file. */
export function warnOfLeft(file: string, left: readonly string[], why: string): void {
  if (left.length === 0) return;
  process.emitWarning(printable(`Not written to ${file}, since ${why}: ${listed(left)}`), {
    type: 'LearnWarning',
    code: 'WARN_NOT_WRITTEN',
  });
}

/** Names the schedulers of a checkpoint that are not resumed, by their keys. `instead`: how the learning rate moves without them. */
export function warnOfSchedulers(file: string, keys: readonly string[], instead: string): void {
  if (keys.length === 0) return;
  process.emitWarning(
    printable(`The learning-rate scheduler in ${file}, under ${listed(keys)}, is not resumed: ${instead}`),
    { type: 'LearnWarning', code: 'WARN_NOT_RESUMED' },
  );
}

/** Says that a model was exported in evaluation mode, and so trains in it. */
export function warnOfEvaluation(file: string): void {
  process.emitWarning(
    printable(
      `${file} looks as if it was exported after net.eval(): training it drops nothing out and leaves the statistics of batch norms as they are. ` +
        'Export after net.train() to train it as PyTorch does',
    ),
    { type: 'LearnWarning', code: 'WARN_EVALUATION_MODE' },
  );
}

function listed(items: readonly string[]): string {
  return items.slice(0, 20).join(', ') + (items.length > 20 ? ` and ${items.length - 20} more` : '');
}
