// Reads settings as snapshots, journals and manifests of versions record them.
import { plain } from '../../core/checks';
import { recordedLoss } from '../../losses';
import { recordedOptimizer } from '../../optimizers';
import type { SgdOptions } from '../../optimizers/sgd';
import type { Settings } from '../settings';

type FlatSettings = Omit<Settings, 'optimizer' | 'loss' | 'target'> & Required<SgdOptions>;

/**
 * The settings of a record. Before format 2 of snapshots and kind 7 of records the optimizer's options were among them, and the loss
 * was cross-entropy. Before format 3 targets were classes.
 */
export function recordedSettings(recorded: Settings | FlatSettings): Settings {
  const own = plain(recorded) as FlatSettings & Pick<Partial<Settings>, 'optimizer' | 'loss' | 'target'>;
  const { learningRate, momentum, weightDecay, nesterov, ...others } = own;
  const optimizer = recordedOptimizer(own.optimizer ?? { learningRate, momentum, weightDecay, nesterov });
  const target = own.target ?? { kind: 'class', shape: [] };
  return { ...others, optimizer, loss: recordedLoss(own.loss), target };
}
