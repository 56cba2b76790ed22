// Reports memory, and the limits of control groups on memory and processors.
import path from 'node:path';
import { bytes } from '../../core/format';
import type { Machine } from '../machine';
import { type Finding, note, row, section, warning } from '../section';

export interface Facts {
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Memory limit of the control group; null if none exists. */
  readonly limitBytes: number | null;
  /** Processors that the control group allows; null if there is no limit. */
  readonly processors: number | null;
  /** Memory of the probe's process; null if it did not get so far. */
  readonly probeBytes: number | null;
}

export const memory = section<Facts>({
  title: 'Memory',
  look: ({ machine, probe }) => ({
    totalBytes: machine.memoryBytes,
    freeBytes: machine.freeMemoryBytes,
    ...limitsOf(machine),
    probeBytes: probe.memoryBytes,
  }),
  judge({ limitBytes, processors, probeBytes }, { machine, probe }) {
    const findings: Finding[] = [];
    if (limitBytes !== null && probeBytes !== null && limitBytes < 2 * probeBytes)
      findings.push(
        warning(
          'memory-limit-low',
          `This container may use ${bytes(limitBytes)} of memory. A process that has libtorch loaded took ` +
            `${bytes(probeBytes)} here, without data.`,
          "Raise the container's memory limit.",
        ),
      );
    const threads = probe.info?.threads ?? machine.threads;
    if (processors !== null && threads > Math.ceil(processors))
      findings.push(
        note(
          'threads-over-limit',
          `This container may use ${processors} processors, and libtorch computes with ${threads} threads, which then wait for ` +
            'each other.',
          `Train with threads: ${Math.ceil(processors)}, or set OMP_NUM_THREADS=${Math.ceil(processors)}.`,
        ),
      );
    return findings;
  },
  rows: ({ totalBytes, freeBytes, limitBytes, processors, probeBytes }) => [
    row('memory', `${bytes(totalBytes)}, ${bytes(freeBytes)} free`),
    row(
      'limits',
      [
        limitBytes === null ? 'memory: none' : `memory: ${bytes(limitBytes)}`,
        processors === null ? 'processors: none' : `processors: ${processors}`,
      ].join(', '),
    ),
    ...(probeBytes === null ? [] : [row('libtorch takes', `${bytes(probeBytes)}, with Node`)]),
  ],
});

function limitsOf(machine: Machine): Pick<Facts, 'limitBytes' | 'processors'> {
  const memoryLimits = readAll(machine, ['memory.max', 'memory.limit_in_bytes'], 'memory').map(Number);
  const quotas = readAll(machine, ['cpu.max'], 'cpu').map((text) => text.split(/\s+/).map(Number));
  const periods = readAll(machine, ['cpu.cfs_period_us'], 'cpu');
  const oldQuotas = readAll(machine, ['cpu.cfs_quota_us'], 'cpu').map((text, i) => [Number(text), Number(periods[i])]);
  // "max", -1 and a number larger than the memory all mean no limit.
  const limits = memoryLimits.filter((limit) => limit > 0 && limit < machine.memoryBytes);
  const shares = [...quotas, ...oldQuotas].map(([quota, period]) => quota! / period!).filter((share) => share > 0);
  return {
    limitBytes: limits.length > 0 ? Math.min(...limits) : null,
    processors: shares.length > 0 ? Math.min(...shares) : null,
  };
}

/** Reads such files in this process's control group and in all of its parents, in both versions of control groups. */
function readAll({ text }: Machine, names: readonly string[], controller: string): string[] {
  const found: string[] = [];
  for (const line of (text('/proc/self/cgroup') ?? '0::/').split('\n')) {
    const [, controllers, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || group === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes(controller)) continue;
    const root = path.posix.join('/sys/fs/cgroup', controllers === '' ? '' : controller);
    for (let at = path.posix.join(root, group); at.startsWith(root); at = path.posix.dirname(at))
      found.push(...names.flatMap((name) => text(path.posix.join(at, name))?.trim() ?? []));
  }
  return found;
}
