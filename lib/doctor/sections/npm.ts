// Reports on npm: no install script is needed, the registry that is used, and whether the package with libtorch is installed.
// Reads npm's files and variables instead of running npm, which takes a second and may not be installed.
import path from 'node:path';
import { isNpmsOwn, readSettings, type Settings } from '../npm-settings';
import { masked } from '../redact';
import { type Context, type Finding, note, row, section, warning } from '../section';

export interface Facts {
  /** User agent of the package manager that started this process; null if none did. */
  readonly agent: string | null;
  /** Constant: this package has no install script. */
  readonly scripts: 'not needed';
  /** `url` and `source` are null if nothing is set, so that npm's own registry is used. */
  readonly registry: { readonly url: string | null; readonly source: string | null; readonly isDefault: boolean };
  /** The setting that omits optional dependencies; null if none exists. */
  readonly omitsOptional: string | null;
  readonly libtorchPackage: LibtorchPackage | null;
}

interface LibtorchPackage {
  readonly name: string;
  /** The version that this version needs. */
  readonly pinned: string;
  /** null if it is not installed. */
  readonly installed: string | null;
  /** Reason why it cannot be used; null if it can. */
  readonly problem: string | null;
}

export const npm = section<Facts>({
  title: 'npm',
  look(context) {
    const { machine } = context;
    const settings = readSettings(machine);
    const libtorchPackage = libtorchPackageOf(context);
    return {
      agent: machine.env.npm_config_user_agent?.split(' ')[0] ?? null,
      scripts: 'not needed',
      registry: registryOf(settings, libtorchPackage?.name),
      omitsOptional: omitsOptional(settings),
      libtorchPackage,
    };
  },
  judge({ registry, omitsOptional, libtorchPackage }, { chosen }) {
    const findings: Finding[] = [];
    const { name, pinned, installed } = libtorchPackage ?? {};
    const isMissing = name !== undefined && installed === null;
    // It is not needed if another libtorch is used. A checkout never has it.
    const worry = isMissing && chosen === null;
    if (name !== undefined && installed && installed !== pinned)
      findings.push(
        warning(
          'libtorch-package-version',
          `${name} is installed in version ${installed}; ${pinned} belongs to this version.`,
          `Install that one: npm install ${name}@${pinned}`,
        ),
      );
    if (omitsOptional !== null)
      findings.push(
        (worry ? warning : note)(
          'optional-omitted',
          `npm omits optional dependencies (${omitsOptional}), and ${name ?? 'libtorch'} is one.`,
          worry ? `Install it anyway: npm install --include=optional, or by name: npm install ${name}@${pinned}` : null,
        ),
      );
    if (!registry.isDefault)
      findings.push(
        (worry ? warning : note)(
          'registry-custom',
          `Packages come from ${registry.url} (${registry.source}) and not from npm's own registry.` +
            ` Such a mirror may not have ${name ?? 'the package with libtorch'}, or refuse its size.`,
          worry
            ? `Check whether it has it: npm view ${name}@${pinned}. If not: npx torch-incremental libtorch install`
            : null,
        ),
      );
    return findings;
  },
  rows: ({ agent, scripts, registry, omitsOptional, libtorchPackage }) => [
    ...(agent === null ? [] : [row('started by', agent)]),
    row('scripts', `${scripts}: this package has no install scripts`, 'good'),
    row(
      'registry',
      registry.source === null ? "npm's own" : `${registry.url} (${registry.source})`,
      registry.isDefault ? null : 'doubtful',
    ),
    ...(omitsOptional === null ? [] : [row('optional', `left out: ${omitsOptional}`, 'doubtful')]),
    ...(libtorchPackage === null ? [] : [packageRow(libtorchPackage)]),
  ],
});

function packageRow({ name, pinned, installed, problem }: LibtorchPackage) {
  if (installed === null) return row('libtorch', `${name} ${pinned} is not installed`);
  const text = `${name} ${installed}${problem === null ? '' : `, which cannot be used: ${problem}`}`;
  if (installed !== pinned) return row('libtorch', text, 'doubtful');
  return row('libtorch', text, problem === null ? 'good' : null);
}

function libtorchPackageOf({ package: { pins }, platform, candidates, machine }: Context): LibtorchPackage | null {
  const name = Object.keys(pins).find((one) => one.includes(platform));
  if (name === undefined) return null;
  const { folder = null, problem } = candidates.find(({ source }) => source === name) ?? {};
  return {
    name,
    pinned: pins[name]!,
    installed: folder === null ? null : versionIn(machine.text(path.join(folder, 'package.json'))),
    problem: folder === null ? null : (problem?.text ?? null),
  };
}

function versionIn(text: string | null): string | null {
  try {
    return JSON.parse(text ?? '').version ?? null;
  } catch {
    return null;
  }
}

function registryOf(settings: Settings, packageName: string | undefined): Facts['registry'] {
  const scope = packageName?.split('/')[0];
  const found = settings.get(`${scope}:registry`) ?? settings.get('registry');
  if (found === undefined) return { url: null, source: null, isDefault: true };
  const url = found.value.replace(/\/*$/, '/');
  return { url: masked(url), source: found.source, isDefault: isNpmsOwn(url) };
}

function omitsOptional(settings: Settings): string | null {
  const omit = settings.get('omit');
  if (omit && /\boptional\b/.test(omit.value)) return `omit=${omit.value} in ${omit.source}`;
  const old = settings.get('optional');
  return old?.value === 'false' ? `optional=false in ${old.source}` : null;
}
