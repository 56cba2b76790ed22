// Reads settings as snapshots, journals and manifests of versions record them.
import { plain } from '../../core/checks';
import { recordedLoss } from '../../losses';
import { recordedOptimizer } from '../../optimizers';
import type { SgdOptions } from '../../optimizers/sgd';
import type { Settings } from '../options';

type FlatSettings = Omit<Settings, 'optimizer' | 'loss'> & Required<SgdOptions>;

/**
 * The settings of a record. Before format 2 of snapshots and kind 7 of records the optimizer's options were among them, and the loss
 * was cross-entropy.
 */
export function recordedSettings(recorded: Settings | FlatSettings): Settings {
  const own = plain(recorded) as FlatSettings & Partial<Settings>;
  const { learningRate, momentum, weightDecay, nesterov, ...others } = own;
  const optimizer = recordedOptimizer(own.optimizer ?? { learningRate, momentum, weightDecay, nesterov });
  return { ...others, optimizer, loss: recordedLoss(own.loss) };
}
