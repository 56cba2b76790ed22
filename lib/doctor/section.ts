// Defines a section of doctor's report: it collects facts, derives findings from them, and formats both. sections.ts lists all
// sections.
import type { AddonName, addonPlaces } from '../libtorch/addon';
import type { Candidate } from '../libtorch/candidates';
import type { Driver } from '../libtorch/driver';
import type { Manifest } from '../libtorch/manifest';
import type { Machine } from './machine';
import type { ProbeResult } from './probe/run';

/** `problem`: nothing trains here. `warning`: it works, but something is not as requested. `note`: good to know. */
export type Severity = 'problem' | 'warning' | 'note';

export interface Finding {
  readonly severity: Severity;
  /** Stable, such as 'glibc-too-old'; docs/doctor.md lists them. */
  readonly key: string;
  /** One sentence or more. */
  readonly text: string;
  /** Advice; null if nothing can or must be done. */
  readonly remedy: string | null;
}

/** A line of the report. */
export interface Row {
  readonly label: string;
  readonly text: string;
  /** null: neither good nor bad. */
  readonly mark: 'good' | 'doubtful' | 'bad' | null;
}

/** The parts of package.json that the checks need. */
export interface PackageInfo {
  readonly name: string;
  readonly version: string;
  /** The range of Node's versions, such as '>=20.19'. */
  readonly engines: string;
  /** The version of Node-API that the addon is compiled for. */
  readonly napi: number;
  /** The folder of the package. */
  readonly root: string;
  /** npm packages with libtorch, and the versions that this version needs. */
  readonly pins: Readonly<Record<string, string>>;
}

type AddonPlace = ReturnType<typeof addonPlaces>[number];

export interface Context {
  readonly machine: Machine;
  readonly package: PackageInfo;
  readonly manifest: Manifest;
  /** As process.platform-process.arch. */
  readonly platform: string;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** The candidate that is tried first; null if none exists. See used.ts. */
  readonly preferred: Candidate | null;
  /** The candidate that is used in the end. */
  readonly chosen: Candidate | null;
  /** The folder of a Python's torch of the right version; looked for only if no candidate can be used. */
  readonly pythonTorch: string | null;
  readonly driver: Driver | null;
  /** The compiled files that are loaded, and where each may be, best first. */
  readonly addon: { readonly [Name in AddonName]: { readonly file: string; readonly places: readonly AddonPlace[] } };
  /** A clone of the repository, in which the addon is built by `npm run setup`. */
  readonly isCheckout: boolean;
  /** null if neither HOME nor XDG_CACHE_HOME is set. */
  readonly cacheRoot: string | null;
  readonly probe: ProbeResult;
}

export interface Section<Facts extends object> {
  readonly title: string;
  /** Facts are plain values: they are printed as JSON. */
  look(context: Context): Facts | Promise<Facts>;
  /** `before`: the findings of the sections before this one. */
  judge(facts: Facts, context: Context, before: readonly Finding[]): readonly Finding[];
  rows(facts: Facts, context: Context): readonly Row[];
}

export function section<Facts extends object>(definition: Section<Facts>): Section<Facts> {
  return definition;
}

export function problem(key: string, text: string, remedy: string | null = null): Finding {
  return { severity: 'problem', key, text, remedy };
}

export function warning(key: string, text: string, remedy: string | null = null): Finding {
  return { severity: 'warning', key, text, remedy };
}

export function note(key: string, text: string, remedy: string | null = null): Finding {
  return { severity: 'note', key, text, remedy };
}

/** Makes a row. `mark`: true for good, false for bad. */
export function row(label: string, text: string, mark: Row['mark'] | boolean = null): Row {
  return { label, text, mark: typeof mark === 'boolean' ? (mark ? 'good' : 'bad') : mark };
}

/** Capitalises the first letter of a sentence, unless it begins with a command. */
export function capital(text: string): string {
  return /^np[mx] /.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
