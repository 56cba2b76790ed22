// Versions of a learner: the description of one, the verdict that makes it, and the score that later ones are compared with.
import { invalid } from '../../core/checks';

/** A version of a learner. */
export interface VersionInfo {
  /** From 0, the weights that the learner began with. */
  version: number;
  /** The version that served when this one was made; null: this is version 0. */
  parent: number | null;
  /** Updates that led to it. */
  updates: number;
  /** The journal's records between the previous version and this one; null: this is version 0. */
  records: { from: number; to: number } | null;
  /** On the held-out samples; null without them. */
  accuracy: number | null;
  perClass: (number | null)[];
  /** Of the state: names, types, shapes and values, in file order. */
  sha256: string;
  /** Milliseconds since 1970. */
  created: number;
}

export interface HeldOutScore {
  accuracy: number;
  /** By class; NaN: it has no held-out samples. */
  perClass: number[];
}

/** The score that candidates are compared with: the best that ever served. */
export type Baseline = HeldOutScore | null;

/** The score of a version, for comparison with later ones. */
export function baselineOf({ accuracy, perClass }: VersionInfo): Baseline {
  return accuracy === null ? null : { accuracy, perClass: perClass.map((share) => share ?? Number.NaN) };
}

/** The score with the higher accuracy. */
export function better(candidate: HeldOutScore, best: Baseline): HeldOutScore {
  if (!best) return candidate;
  return candidate.accuracy > best.accuracy ? candidate : best;
}

/** The verdict on a candidate. */
export interface Verdict {
  accepted: boolean;
  /** Why it was refused; empty: it was accepted. */
  reason: string;
  /** On the held-out samples; null without them. */
  accuracy: number | null;
  perClass: (number | null)[];
  sha256: string;
  /** Milliseconds since 1970. */
  created: number;
}

/** The part of a learner's state that the next version follows from. */
interface Lineage {
  versions: readonly VersionInfo[];
  newest?: number;
  serving: number;
  updates: number;
}

/** The version that a candidate becomes by its verdict, which is record `sequence` of the journal. */
export function nextVersion(
  { versions, newest = 0, serving, updates }: Lineage,
  { accuracy, perClass, created }: Verdict,
  sha256: string,
  sequence: number,
): VersionInfo {
  const last = versions.at(-1)!;
  return {
    ...{ version: Math.max(last.version, newest) + 1, parent: serving, updates },
    records: { from: (last.records?.to ?? 0) + 1, to: sequence },
    ...{ accuracy, perClass, sha256, created },
  };
}

/** Throws ERR_INVALID_OPTION if the version is not kept. */
export function findVersion(versions: readonly VersionInfo[], version: number): VersionInfo {
  const info = versions.find((kept) => kept.version === version);
  if (info) return info;
  throw invalid(`one of the versions ${versions.map((kept) => kept.version).join(', ')}`, 'version', version);
}

/**
 * The newest versions, `count` with the one that serves, however old that is. The files of others are removed after a snapshot that
 * does not need them.
 */
export function newestOf(versions: readonly VersionInfo[], count: number, serving: number): VersionInfo[] {
  const surplus = Math.max(0, versions.length - count);
  const old = versions.filter(({ version }) => version !== serving).slice(0, surplus);
  return versions.filter((info) => !old.includes(info));
}
