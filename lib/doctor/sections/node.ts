// Reports on Node: its version, settings that prevent addons, and other runtimes that present themselves as Node.
import { compareVersions } from '../../libtorch/driver';
import type { Machine } from '../machine';
import { type Finding, note, problem, row, section, warning } from '../section';

export interface Facts {
  readonly version: string;
  /** The range in package.json. */
  readonly needed: string;
  readonly napi: number;
  readonly neededNapi: number;
  readonly arch: string;
  /** The kernel's name of the processor. */
  readonly machine: string;
  /** 'node', 'electron', 'bun', 'deno'. */
  readonly runtime: string;
  /** Relevant flags from the command line and NODE_OPTIONS. */
  readonly flags: readonly string[];
  readonly isMainThread: boolean;
}

const machines: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

export const node = section<Facts>({
  title: 'Node',
  look: ({ machine, package: { engines, napi } }) => ({
    version: machine.versions.node ?? 'unknown',
    needed: engines,
    napi: Number(machine.versions.napi ?? 0),
    neededNapi: napi,
    arch: machine.arch,
    machine: machine.machine,
    runtime: ['electron', 'bun', 'deno'].find((name) => machine.versions[name]) ?? 'node',
    flags: flagsOf(machine),
    isMainThread: machine.isMainThread,
  }),
  judge(facts) {
    const { version, needed, napi, neededNapi, arch, machine, runtime } = facts;
    const findings: Finding[] = [];
    if (!isNewEnough(facts))
      findings.push(warning('node-too-old', `This is Node ${version}; ${needed} is needed.`, 'Install a newer Node.'));
    if (napi < neededNapi)
      findings.push(
        problem(
          'napi-too-old',
          `This Node has version ${napi} of Node-API; the addon is compiled for version ${neededNapi}.`,
          'Install a newer Node.',
        ),
      );
    if (machines[arch] !== undefined && ['x86_64', 'aarch64'].includes(machine) && machines[arch] !== machine)
      findings.push(
        warning(
          'arch-mismatch',
          `This Node is compiled for ${arch}, and the machine is ${machine}: it is emulated, which is slow.`,
          `Install the Node for ${machine}.`,
        ),
      );
    if (facts.flags.includes('--no-addons'))
      findings.push(
        problem(
          'no-addons',
          'Node was started without addons (--no-addons).',
          'Remove --no-addons from the command line or from NODE_OPTIONS.',
        ),
      );
    if (facts.flags.some((flag) => permission.test(flag)) && !facts.flags.includes('--allow-addons'))
      findings.push(
        problem(
          'permission-addons',
          "Node's permission model is on and allows no addons.",
          'Add --allow-addons, with --allow-fs-read for the folders of this package and of libtorch. libtorch is first tried ' +
            'in a child process, which needs --allow-child-process.',
        ),
      );
    if (runtime !== 'node')
      findings.push(
        note(
          'other-runtime',
          runtime === 'electron'
            ? 'This is Electron. Load the package in the main process or in a utility process, outside the asar archive (asarUnpack).'
            : `This is ${runtime}, with which torch-incremental is not tested.`,
        ),
      );
    return findings;
  },
  rows: (facts) => [
    row(
      'version',
      `${facts.runtime === 'node' ? '' : `${facts.runtime}, `}${facts.version} (needed: ${facts.needed})`,
      isNewEnough(facts),
    ),
    row('Node-API', `${facts.napi} (needed: ${facts.neededNapi})`, facts.napi >= facts.neededNapi),
    row('compiled for', facts.arch),
    ...(facts.flags.length > 0 ? [row('flags', facts.flags.join(' '), 'doubtful')] : []),
    ...(facts.isMainThread ? [] : [row('thread', 'a worker')]),
  ],
});

const permission = /^--(experimental-)?permission$/;

function isNewEnough({ version, needed }: Facts): boolean {
  const floor = /^>=(\d[\d.]*)$/.exec(needed)?.[1];
  return floor === undefined || compareVersions(version, floor) >= 0;
}

function flagsOf({ execArgv, env }: Machine): string[] {
  const all = [...execArgv, ...(env.NODE_OPTIONS ?? '').split(/\s+/)];
  return all.filter((flag) => flag === '--no-addons' || permission.test(flag) || flag.startsWith('--allow-'));
}
