// The libraries of the libtorch that is tried first: what they need and cannot find.
import path from 'node:path';
import { findNeeds, type Needs } from '../missing-libraries';
import { type Finding, problem, row, section, warning } from '../section';

export interface Facts extends Needs {
  /** That was looked at; null where there is none. */
  readonly folder: string | null;
}

/** As they are opened: see lib/libtorch/load.ts. */
const opened = ['libtorch_global_deps.so', 'libtorch.so', 'libtorch_cpu.so', 'libtorch_cuda.so'];

export const libraries = section<Facts>({
  title: 'Libraries',
  async look({ machine, preferred }) {
    const folder = preferred?.folder ?? null;
    const nothing = { folder, found: 0, missing: [], broken: [], sure: true };
    if (folder === null || machine.platform !== 'linux') return nothing;
    const files = opened.map((name) => path.join(folder, 'lib', name)).filter(machine.exists);
    return { folder, ...(await findNeeds(files, machine)) };
  },
  judge: ({ missing, broken, sure }, { probe }) => {
    const findings: Finding[] = [];
    for (const { file, text } of broken)
      findings.push(
        problem(
          'library-broken',
          `${file} ${text}.`,
          'Install libtorch anew: npx torch-incremental libtorch install, or npm install for the package with libtorch.',
        ),
      );
    if (missing.length > 0 && sure) {
      const text = `Libraries are nowhere: ${byUser(missing).join('; ')}.`;
      const remedy = remedyFor(missing);
      // The dynamic linker has the last word.
      findings.push((probe.info === null ? problem : warning)('library-missing', text, remedy));
    }
    return findings;
  },
  rows: ({ folder, found, missing, broken, sure }) => {
    if (folder === null) return [row('needed', 'there is no libtorch to look at')];
    return [
      ...broken.map(({ file, text }) => row('broken', `${file} ${text}`, 'bad')),
      ...byUser(missing).map((text) =>
        row('missing', sure ? text : `${text} (could not tell: ldconfig is not there)`, sure ? 'bad' : 'doubtful'),
      ),
      ...(missing.length + broken.length > 0
        ? []
        : [
            found === 0
              ? row('needed', 'there is no library to look at')
              : row('needed', `all ${found} are there`, 'good'),
          ]),
    ];
  },
});

/** 'libtorch.so needs libgomp.so.1, libm.so.6', for each library that lacks any. */
function byUser(missing: Needs['missing']): string[] {
  const users = [...new Set(missing.map(({ neededBy }) => neededBy))];
  return users.map((user) => {
    const lacks = missing.filter(({ neededBy }) => neededBy === user).map(({ library }) => library);
    return `${user} needs ${lacks.join(', ')}`;
  });
}

function remedyFor(missing: Needs['missing']): string {
  const names = missing.map(({ library }) => library);
  if (names.some((name) => /^lib(cu|nv|nccl)/.test(name)))
    return "Take a build that brings NVIDIA's libraries: npx torch-incremental libtorch install --variant cu130, or cpu.";
  if (names.includes('libgomp.so.1')) return "Install GCC's OpenMP: apt-get install libgomp1, or dnf install libgomp.";
  return 'Install the packages of your system that hold them, or take another build: npx torch-incremental libtorch install.';
}
