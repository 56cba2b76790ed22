// What `torch-incremental doctor` shows: the machine, where libtorch is, whether everything loads and one training step
// works. Loads nothing into this process: it must be able to answer when nothing works.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addonPath } from './addon';
import { type ProbeResult, runProbe } from './doctor/run-probe';
import { type Candidate, libtorchCandidates } from './libtorch/candidates';
import { glibcVersion } from './libtorch/libc';
import { pin, platform, unsupportedPlatform } from './libtorch/manifest';
import type { NativeInfo } from './native';

const probeScript = path.join(__dirname, 'probe.js');

export interface Report {
  /** Nothing stands in the way of training. */
  readonly ok: boolean;
  /** What does, in sentences. */
  readonly problems: readonly string[];
  readonly package: string;
  readonly node: string;
  readonly system: {
    readonly platform: string;
    readonly name: string;
    /** 'glibc 2.36' or 'musl'. */
    readonly libc: string;
    readonly cpu: string;
    readonly cores: number;
    readonly memoryGb: number;
  };
  readonly libtorch: {
    readonly needed: string;
    /** Best first. */
    readonly candidates: readonly Candidate[];
    /** The candidate that is taken; null when there is none. */
    readonly folder: string | null;
  };
  readonly addon: { readonly path: string; readonly exists: boolean; readonly info: NativeInfo | null };
  readonly device: { readonly name: string; readonly reason: string };
  readonly probe: ProbeResult;
}

/** Looks at everything. `probe: false` loads libtorch and the addon, but trains nothing; default true. */
export async function diagnose({ probe = true }: { probe?: boolean } = {}): Promise<Report> {
  const candidates = libtorchCandidates();
  const chosen = candidates.find(({ explicit }) => explicit) ?? candidates.find(({ problem }) => problem === null);
  const result = await runProbe(probeScript, probe);
  const addon = addonPath('torch_incremental');
  const report = {
    package: packageVersion(),
    node: process.version,
    system: describeSystem(),
    libtorch: { needed: pin.version, candidates, folder: chosen?.problem === null ? chosen.folder : null },
    addon: { path: addon, exists: fs.existsSync(addon), info: result.info },
    device: describeDevice(result),
    probe: result,
  };
  const problems = findProblems(report);
  return { ok: problems.length === 0, problems, ...report };
}

function findProblems({ system, libtorch, addon, probe }: Omit<Report, 'ok' | 'problems'>): string[] {
  const problems = [];
  const unsupported = unsupportedPlatform(pin, system.platform);
  if (unsupported !== null) problems.push(`${unsupported}.`);
  if (system.libc === 'musl') problems.push('This system has musl; libtorch needs glibc.');
  if (libtorch.folder === null) problems.push(`There is no libtorch ${libtorch.needed} that can be used.`);
  if (!addon.exists) problems.push(`The addon is missing: ${addon.path}. In a checkout, build it: npm run setup`);
  if (probe.error !== null) problems.push(`The probe failed: ${probe.error}`);
  return problems;
}

function describeDevice({ info, device }: ProbeResult): Report['device'] {
  if (info === null) return { name: 'cpu', reason: 'nothing could be loaded, so nothing is known of CUDA' };
  if (device === null) return { name: 'cpu', reason: 'what else there is could not be found out' };
  const name = device.type === 'cuda' ? `cuda:${device.index} (${device.name})` : 'cpu';
  return { name, reason: device.reason };
}

function packageVersion(): string {
  const { version } = JSON.parse(fs.readFileSync(path.join(__dirname, '..', 'package.json'), 'utf8'));
  return version;
}

function describeSystem(): Report['system'] {
  const cpus = os.cpus();
  return {
    platform,
    name: systemName(),
    libc: describeLibc(),
    cpu: cpus[0]?.model ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGb: Math.round(os.totalmem() / 1e8) / 10,
  };
}

function systemName(): string {
  const kernel = `${os.type()} ${os.release()}`;
  try {
    const name = /^PRETTY_NAME="?([^"\n]+)/m.exec(fs.readFileSync('/etc/os-release', 'utf8'))?.[1];
    return name ? `${name}, ${kernel}` : kernel;
  } catch {
    return kernel;
  }
}

function describeLibc(): string {
  if (process.platform !== 'linux') return 'of the system';
  const version = glibcVersion();
  return version === undefined ? 'musl' : `glibc ${version}`;
}

/** For people. Everything that a bug report needs. */
export function formatReport(report: Report): string {
  const { system, libtorch, addon, probe } = report;
  const rows: [string, string][] = [
    ['torch-incremental', report.package],
    ['Node', report.node],
    ['system', `${system.name}, ${system.platform}, ${system.libc}`],
    ['CPU', `${system.cpu}, ${system.cores} threads, ${system.memoryGb} GB of memory`],
    ['libtorch', `${libtorch.folder ?? 'none'} (${libtorch.needed} is needed)`],
    ...libtorch.candidates.map((candidate): [string, string] => ['', describeCandidate(candidate)]),
    ['addon', `${addon.path}${addon.exists ? '' : ' (missing)'}`],
  ];
  if (addon.info) {
    const { builtFor, cpuCapability, threads } = addon.info;
    rows.push(['', `built for libtorch ${builtFor}; kernels for ${cpuCapability}; ${threads} threads`]);
  }
  rows.push(['device', `${report.device.name}: ${report.device.reason}`]);
  rows.push(['probe', describeProbe(probe)]);
  const table = rows.map(([name, value]) => `${name.padEnd(18)} ${value}`).join('\n');
  const verdict = report.ok
    ? 'Everything works.'
    : ['Problems:', ...report.problems.map((problem) => `  - ${problem.replaceAll('\n', '\n    ')}`)].join('\n');
  return `${table}\n\n${verdict}`;
}

function describeCandidate({ source, folder, version, problem }: Candidate): string {
  const place = [source, folder, version].filter((part) => part !== null).join(', ');
  return `  ${place}: ${problem?.text ?? 'usable'}`;
}

function describeProbe({ error, loss, seconds }: ProbeResult): string {
  if (error !== null) return 'failed, see below';
  const done = loss === null ? 'loaded' : `one training step done, loss ${loss.toFixed(4)}`;
  return `${done}, ${seconds.toFixed(1)} s`;
}
