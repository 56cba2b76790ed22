// Reads settings as snapshots, journals and manifests of versions record them.
import { recordedAverage } from '../../averages';
import { plain } from '../../core/checks';
import { recordedLoss } from '../../losses';
import { recordedMetrics } from '../../metrics';
import { recordedOptimizer } from '../../optimizers';
import type { SgdOptions } from '../../optimizers/sgd';
import type { Settings } from '../settings';

type NewerName =
  | 'optimizer'
  | 'loss'
  | 'target'
  | 'metrics'
  | 'parameterGroups'
  | 'frozenStatistics'
  | 'average'
  | 'score'
  | 'drift';
type FlatSettings = Omit<Settings, NewerName> & Required<SgdOptions>;

/**
 * The settings of a record. Before format 2 of snapshots and kind 7 of records the optimizer's options were among them, and the loss
 * was cross-entropy. Before format 3 targets were classes. Before format 4 all parameters were alike, and
 * there were no metrics. Before format 5 there was no average, the version that served scored samples, and every signal of a detector
 * was a drift.
 */
export function recordedSettings(recorded: Settings | FlatSettings): Settings {
  const own = plain(recorded) as FlatSettings & Partial<Pick<Settings, NewerName>>;
  const { learningRate, momentum, weightDecay, nesterov, ...others } = own;
  const optimizer = recordedOptimizer(own.optimizer ?? { learningRate, momentum, weightDecay, nesterov });
  const target = own.target ?? { kind: 'class', shape: [] };
  const { parameterGroups = [], frozenStatistics = [], score = 'served' } = own;
  const [loss, metrics] = [recordedLoss(own.loss), recordedMetrics(own.metrics)];
  const average = own.average ? recordedAverage(own.average) : null;
  const drift = own.drift ? { ...own.drift, cooldown: plain(own.drift).cooldown ?? 0 } : null;
  return { ...others, optimizer, loss, target, metrics, parameterGroups, frozenStatistics, average, score, drift };
}
