// Reports the libraries that the libtorch tried first needs and cannot find.
import path from 'node:path';
import { findNeeds, type Needs } from '../missing-libraries';
import { type Finding, problem, row, section, warning } from '../section';

export interface Facts extends Needs {
  /** The folder of that libtorch; null if none exists. */
  readonly folder: string | null;
}

/** In the order in which lib/libtorch/open.ts opens them. */
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
          'Reinstall libtorch: npx torch-incremental libtorch install, or npm install for the package with libtorch.',
        ),
      );
    if (missing.length > 0 && sure) {
      const text = `Libraries were not found: ${byUser(missing).join('; ')}.`;
      const remedy = remedyFor(missing);
      // The dynamic linker decides: if everything loads, this is only a warning.
      findings.push((probe.info === null ? problem : warning)('library-missing', text, remedy));
    }
    return findings;
  },
  rows: ({ folder, found, missing, broken, sure }) => {
    if (folder === null) return [row('needed', 'there is no libtorch to examine')];
    return [
      ...broken.map(({ file, text }) => row('broken', `${file} ${text}`, 'bad')),
      ...byUser(missing).map((text) =>
        row('missing', sure ? text : `${text} (uncertain: ldconfig does not exist)`, sure ? 'bad' : 'doubtful'),
      ),
      ...(missing.length + broken.length > 0
        ? []
        : [
            found === 0
              ? row('needed', 'there is no library to examine')
              : row('needed', `all ${found} were found`, 'good'),
          ]),
    ];
  },
});

/** Returns 'libtorch.so needs libgomp.so.1, libm.so.6' for each library with missing dependencies. */
function byUser(missing: Needs['missing']): string[] {
  const users = [...new Set(missing.map(({ neededBy }) => neededBy))];
  return users.map((user) => {
    const needed = missing.filter(({ neededBy }) => neededBy === user).map(({ library }) => library);
    return `${user} needs ${needed.join(', ')}`;
  });
}

function remedyFor(missing: Needs['missing']): string {
  const names = missing.map(({ library }) => library);
  if (names.some((name) => /^lib(cu|nv|nccl)/.test(name)))
    return "Use a build that includes NVIDIA's libraries: npx torch-incremental libtorch install --variant cu130, or cpu.";
  if (names.includes('libgomp.so.1')) return "Install GCC's OpenMP: apt-get install libgomp1, or dnf install libgomp.";
  return 'Install the system packages that contain them, or use another build: npx torch-incremental libtorch install.';
}
