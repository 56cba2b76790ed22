// Reports on libtorch: every place where it was looked for, the build found there, and the one that is used.
import path from 'node:path';
import { bytes } from '../../core/format';
import type { Candidate } from '../../libtorch/candidates';
import type { Machine } from '../machine';
import { type Finding, note, problem, type Row, row, section, warning } from '../section';

export interface Facts {
  readonly needed: string;
  /** Best first. */
  readonly candidates: readonly (Candidate & { readonly bytesOnDisk: number })[];
  /** Folder of the candidate that is used; null if none exists. */
  readonly folder: string | null;
  /** The place that names it. */
  readonly source: string | null;
  readonly variant: string | null;
  readonly version: string | null;
  /** Whether it was loaded, together with the addon; null if that could not be tried. */
  readonly loads: boolean | null;
  /** Folder of a Python's torch of the needed version, if no candidate can be used. */
  readonly python: string | null;
}

export const libtorch = section<Facts>({
  title: 'libtorch',
  look({ machine, manifest, candidates, chosen, pythonTorch, probe }) {
    const usable = chosen?.problem === null ? chosen : null;
    return {
      needed: manifest.version,
      candidates: candidates.map((candidate) => ({
        ...candidate,
        bytesOnDisk: bytesOf(candidate, machine),
      })),
      folder: usable?.folder ?? null,
      source: usable?.source ?? null,
      variant: usable?.variant ?? null,
      version: usable?.version ?? null,
      loads: probe.failure?.started === false ? null : probe.info !== null,
      python: pythonTorch,
    };
  },
  judge({ candidates, folder, needed, version, python }, { preferred, chosen, machine }) {
    const findings: Finding[] = [];
    if (preferred !== null && preferred !== chosen)
      findings.push(
        warning(
          'libtorch-skipped',
          `The libtorch that is tried first does not load (${preferred.folder}), so that of ${chosen?.source} is used.`,
          preferred.variant === null
            ? 'See which libraries it is missing; reinstall it, or remove it.'
            : `Reinstall it: npx torch-incremental libtorch install --variant ${preferred.variant}. Or remove it: ` +
                `npx torch-incremental libtorch remove ${preferred.variant}`,
        ),
      );
    if (folder === null)
      findings.push(
        chosen?.explicit
          ? problem(
              'libtorch-refused',
              `The libtorch that ${chosen.source} names cannot be used: ${chosen.folder}: ${chosen.problem?.text}.`,
              `Name another one, or undo the choice: ${chosen.undo}`,
            )
          : problem(
              'libtorch-missing',
              `There is no usable libtorch ${needed}${damaged(candidates)}.`,
              python === null
                ? 'Install it: npx torch-incremental libtorch install. Or install the package again with its optional ' +
                    'dependencies: npm install --include=optional torch-incremental'
                : `A Python has one in ${python}. Choose it: npx torch-incremental libtorch install --from python`,
            ),
      );
    else if (version?.split('+')[0] !== needed && machine.env.TORCH_INCREMENTAL_BYPASS_VERSION_CHECK)
      findings.push(
        note(
          'version-check-bypassed',
          `libtorch ${version ?? 'of unknown version'} is used instead of ${needed}, because TORCH_INCREMENTAL_BYPASS_VERSION_CHECK is set.`,
        ),
      );
    return findings;
  },
  rows: ({ needed, candidates, folder, loads }) => {
    const unset = candidates.filter((candidate) => candidate.folder === null);
    const there = candidates.filter((candidate) => !unset.includes(candidate));
    return [
      row('needed', needed),
      ...there.map((candidate) => row(candidate.source, ...candidateText(candidate, folder, loads))),
      ...unset.map(({ source, problem }) => row('', `${source}: ${problem?.text}`)),
      ...(folder === null ? [row('used', 'none', 'bad')] : []),
    ];
  },
});

/** Lists the builds that exist and why they cannot be used; '' if none exists. */
function damaged(candidates: readonly Candidate[]): string {
  const there = candidates.filter(({ folder, problem }) => folder !== null && problem?.text !== 'no such folder');
  return there.length === 0 ? '' : `: ${there.map(({ folder, problem }) => `${folder} ${problem?.text}`).join('; ')}`;
}

/** Returns the size of lib/, if the folder is one of libtorch: another folder may be of any size. */
function bytesOf({ folder }: Candidate, machine: Machine): number {
  if (folder === null || !machine.exists(path.join(folder, 'lib', 'libtorch.so'))) return 0;
  return machine.folderBytes(path.join(folder, 'lib'));
}

function candidateText(
  candidate: Facts['candidates'][number],
  used: string | null,
  loads: Facts['loads'],
): [string, Row['mark']] {
  const { folder, variant, version, problem, bytesOnDisk, explicit } = candidate;
  const size = bytesOnDisk > 0 ? bytes(bytesOnDisk) : null;
  const what = [folder, variant && `variant ${variant}`, version, size].filter(Boolean).join(', ');
  if (problem !== null) {
    // A build that is merely not installed is nothing bad.
    const mark = explicit ? 'bad' : bytesOnDisk > 0 ? 'doubtful' : null;
    return [`${what}: ${problem.text}`, mark];
  }
  if (folder !== used) return [`${what}: usable`, 'good'];
  if (loads === false) return [`${what}: tried, and does not load`, 'bad'];
  return loads ? [`${what}: used`, 'good'] : [`${what}: preferred, but could not be tried`, null];
}
