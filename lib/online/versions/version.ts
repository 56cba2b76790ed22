// A version of a learner: its description, the verdict that made it, and what later ones are measured by.
import { invalid } from '../../core/checks';

export interface VersionInfo {
  /** From 0, which is what the learner began with. */
  version: number;
  /** The version that served when this one was made; null for version 0. */
  parent: number | null;
  /** Updates that led to it. */
  updates: number;
  /** The journal's records that lie between the parent and this version; null for version 0. */
  records: { from: number; to: number } | null;
  /** On the held-out samples; null where there are none. */
  accuracy: number | null;
  perClass: (number | null)[];
  /** Of the state: names, types, shapes and values, in file order. */
  sha256: string;
  /** Milliseconds since 1970. */
  created: number;
}

export interface Evaluation {
  accuracy: number;
  /** NaN where there are no samples of a class. */
  perClass: number[];
}

/** What versions are measured by: the best that ever served. */
export type Baseline = Evaluation | null;

/** What later versions are measured by where this one serves. */
export function baselineOf({ accuracy, perClass }: VersionInfo): Baseline {
  return accuracy === null ? null : { accuracy, perClass: perClass.map((share) => share ?? Number.NaN) };
}

/** Whichever is right more often. */
export function better(candidate: Evaluation, best: Baseline): Evaluation {
  if (!best) return candidate;
  return candidate.accuracy > best.accuracy ? candidate : best;
}

/** How a candidate for a version did. */
export interface Verdict {
  accepted: boolean;
  /** Why it may not serve; empty: it may. */
  reason: string;
  /** On the held-out samples; null where there are none. */
  accuracy: number | null;
  perClass: (number | null)[];
  sha256: string;
  /** Milliseconds since 1970. */
  created: number;
}

/** The state of a learner that the next version follows from. */
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

/** Throws ERR_INVALID_OPTION where the version is not kept. */
export function findVersion(versions: readonly VersionInfo[], version: number): VersionInfo {
  const info = versions.find((kept) => kept.version === version);
  if (info) return info;
  throw invalid(`one of the versions ${versions.map((kept) => kept.version).join(', ')}`, 'version', version);
}

/**
 * The newest versions, `count` with the one that serves, however old that is. The files of others go when there is a snapshot
 * that does not need them.
 */
export function newestOf(versions: readonly VersionInfo[], count: number, serving: number): VersionInfo[] {
  const surplus = Math.max(0, versions.length - count);
  const old = versions.filter(({ version }) => version !== serving).slice(0, surplus);
  return versions.filter((info) => !old.includes(info));
}
