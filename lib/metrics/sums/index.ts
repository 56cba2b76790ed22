// The list of sums. A new kind is a file here, a line in the list, and a file and lines in src/metrics/.
import { type CalibrationBins, calibrationBinsKind } from './calibration-bins';
import { type ClassCounts, classCountsKind } from './class-counts';
import { type ConfusionCells, confusionCellsKind } from './confusion-cells';
import { type ErrorSums, errorSumsKind } from './error-sums';
import { type ProbabilitySums, probabilitySumsKind } from './probability-sums';
import { type RankSums, rankSumsKind } from './rank-sums';
import type { SumsKind } from './sums';
import { type TopHits, topHitsKind } from './top-hits';

/** Sums, and how they are taken. */
export type Sums = CalibrationBins | ClassCounts | ConfusionCells | ErrorSums | ProbabilitySums | RankSums | TopHits;

const kinds = {
  calibrationBins: calibrationBinsKind,
  classCounts: classCountsKind,
  confusionCells: confusionCellsKind,
  errorSums: errorSumsKind,
  probabilitySums: probabilitySumsKind,
  rankSums: rankSumsKind,
  topHits: topHitsKind,
} satisfies { [Kind in Sums['kind']]: SumsKind<Extract<Sums, { kind: Kind }>> };

export function kindOf(sums: Sums): SumsKind<Sums> {
  return kinds[sums.kind] as SumsKind<Sums>;
}
