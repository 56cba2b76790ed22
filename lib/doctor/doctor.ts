// Makes the report of `torch-incremental doctor`: the machine, the libtorch that is used, whether everything loads and trains.
// Nothing is loaded into this process, and each section may fail without the others: the report is for when nothing works.
import fs from 'node:fs';
import path from 'node:path';
import { messageOf } from '../core/errors';
import { type AddonName, addonPath, addonPlaces } from '../libtorch/addon';
import { findCacheRoot } from '../libtorch/cache';
import { libtorchCandidates, preferredOf, problemOf } from '../libtorch/candidates';
import { isCheckout } from '../libtorch/checkout';
import { findDriver } from '../libtorch/driver';
import { pin, platform } from '../libtorch/manifest';
import { findPythonTorch } from '../libtorch/python';
import { forgetVerdicts } from '../libtorch/verify';
import { type Machine, thisMachine } from './machine';
import { type ProbeOptions, runProbe } from './probe/run';
import { type Context, type Finding, note, type PackageInfo, type Row, row, type Section } from './section';
import { type AllFacts, type SectionName, sections } from './sections';
import { usedOf } from './used';

const probeScript = path.join(__dirname, 'probe', 'child.js');

/** `unusable`: nothing trains here. `degraded`: it works, but something is not as asked for. */
export type Status = 'ok' | 'degraded' | 'unusable';

export const exitCodes: Readonly<Record<Status, number>> = { ok: 0, degraded: 1, unusable: 2 };

type ReportedFinding = Omit<Finding, 'severity'>;

/** The report as plain values. docs/doctor.md lists the keys, which do not change while `format` is 1. */
export interface Report extends AllFacts {
  readonly format: 1;
  /** Whether the status is 'ok'. */
  readonly ok: boolean;
  readonly status: Status;
  /** Reasons why nothing trains here. */
  readonly problems: readonly ReportedFinding[];
  /** Reasons why something is not as requested. */
  readonly warnings: readonly ReportedFinding[];
  /** Good to know. */
  readonly notes: readonly ReportedFinding[];
  readonly package: string;
}

/** A section as text: a heading and the rows under it. */
export interface SectionText {
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Diagnosis {
  readonly report: Report;
  readonly texts: readonly SectionText[];
}

export interface DiagnoseOptions {
  /** false: load libtorch and the addon, but train nothing. Default true. */
  readonly probe?: boolean;
  readonly machine?: Machine;
  readonly signal?: AbortSignal;
}

/** Runs all sections on this machine. */
export async function diagnose({
  probe = true,
  signal,
  machine = thisMachine(signal),
}: DiagnoseOptions = {}): Promise<Diagnosis> {
  return examine(await contextOf(machine, { train: probe, signal }), signal);
}

async function contextOf(machine: Machine, options: ProbeOptions): Promise<Context> {
  // Without this, the report could show what another process found some time ago.
  forgetVerdicts();
  const candidates = libtorchCandidates();
  const probe = await runProbe(probeScript, options);
  return {
    machine,
    package: packageInfo(),
    manifest: pin,
    platform,
    candidates,
    preferred: preferredOf(candidates),
    chosen: usedOf(candidates, probe.mapped, machine),
    pythonTorch: candidates.some(({ problem }) => problem === null) ? null : await pythonTorch(options.signal),
    driver: findDriver(),
    addon: { loader: addonIn('loader'), torch_incremental: addonIn('torch_incremental') },
    isCheckout: isCheckout(),
    cacheRoot: findCacheRoot(),
    probe,
  };
}

/** Runs all sections on `context`. Rejects with the reason of `signal`. */
export async function examine(context: Context, signal?: AbortSignal): Promise<Diagnosis> {
  const facts: Partial<Record<SectionName, object | null>> = {};
  const findings: Finding[] = [];
  const texts: SectionText[] = [];
  for (const [name, { title, ...section }] of Object.entries(sections) as [SectionName, Section<object>][]) {
    signal?.throwIfAborted();
    try {
      const seen = await section.look(context);
      const judged = section.judge(seen, context, findings);
      texts.push({ title, rows: section.rows(seen, context) });
      facts[name] = seen;
      findings.push(...judged);
    } catch (error) {
      signal?.throwIfAborted();
      facts[name] = null;
      texts.push({ title, rows: [row('', `could not be examined: ${messageOf(error)}`, 'doubtful')] });
      findings.push(note('check-failed', `The section "${title}" could not be examined: ${messageOf(error)}.`));
    }
  }
  return { report: reportOf(context, findings, facts as AllFacts), texts };
}

function reportOf(context: Context, findings: readonly Finding[], facts: AllFacts): Report {
  const ofSeverity = (severity: Finding['severity']): ReportedFinding[] =>
    findings.filter((finding) => finding.severity === severity).map(({ severity: _, ...rest }) => rest);
  const [problems, warnings, notes] = [ofSeverity('problem'), ofSeverity('warning'), ofSeverity('note')];
  const status = problems.length > 0 ? 'unusable' : warnings.length > 0 ? 'degraded' : 'ok';
  const { version } = context.package;
  return { format: 1, ok: status === 'ok', status, problems, warnings, notes, package: version, ...facts };
}

async function pythonTorch(signal: AbortSignal | undefined): Promise<string | null> {
  const folder = await findPythonTorch(signal).catch(() => null);
  return folder !== null && problemOf(folder) === null ? folder : null;
}

function addonIn(name: AddonName): Context['addon'][AddonName] {
  return { file: addonPath(name), places: addonPlaces(name) };
}

function packageInfo(): PackageInfo {
  const root = path.join(__dirname, '..', '..');
  const { name, version, engines, binary, optionalDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
  );
  const pins = Object.entries(optionalDependencies ?? {}).filter(([dependency]) => dependency.includes('/libtorch-'));
  return {
    name,
    version,
    engines: engines.node,
    napi: binary.napi_versions[0],
    root,
    pins: Object.fromEntries(pins) as Record<string, string>,
  };
}
