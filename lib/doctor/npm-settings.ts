// Reads npm's settings from variables and files: variables first, then the files of the project, the user and the machine.
// Also reads the registry in Yarn's file. No package manager is run.
import path from 'node:path';
import type { Machine } from './machine';

export interface Setting {
  readonly value: string;
  /** The variable or the file that sets it. */
  readonly source: string;
}

export type Settings = ReadonlyMap<string, Setting>;

/** Whether a configured address is npm's own registry. */
export function isNpmsOwn(url: string): boolean {
  return URL.canParse(url) && /(^|\.)npmjs\.org$/.test(new URL(url).hostname);
}

export function readSettings(machine: Machine): Settings {
  const { env, home, prefix, cwd, exists } = machine;
  const settings = new Map<string, Setting>();
  // Later files override earlier ones.
  const project = cwd === null ? null : projectOf(cwd, exists);
  const files = [
    path.join(prefix, 'etc', 'npmrc'),
    '/etc/npmrc',
    env.npm_config_globalconfig,
    env.npm_config_userconfig ?? (home && path.join(home, '.npmrc')),
    project && path.join(project, '.npmrc'),
  ];
  for (const file of files) {
    if (!file) continue;
    for (const [key, value] of parse(machine.text(file) ?? '', env))
      settings.set(key, add(settings.get(key), value, file));
  }
  const yarnFile = project && path.join(project, '.yarnrc.yml');
  const yarnRegistry = yarnFile && /^npmRegistryServer:\s*["']?([^\s"']+)/m.exec(machine.text(yarnFile) ?? '')?.[1];
  if (yarnRegistry) settings.set('registry', { value: yarnRegistry, source: yarnFile });
  for (const [name, value] of Object.entries(env)) {
    const key = /^npm_config_(.+)$/i.exec(name)?.[1];
    if (key && value) settings.set(key.toLowerCase().replaceAll('_', '-'), { value, source: name });
  }
  return settings;
}

/** Lists (`omit[]=dev`) are joined. */
function add(
  before: Setting | undefined,
  { value, isList }: { value: string; isList: boolean },
  source: string,
): Setting {
  return isList && before?.source === source ? { value: `${before.value} ${value}`, source } : { value, source };
}

/** Parses npm's ini files, without sections: `key=value`, and ${NAME} for variables. */
function* parse(text: string, env: Machine['env']): Generator<[string, { value: string; isList: boolean }]> {
  for (const [, key, list, value] of text.matchAll(/^[ \t]*([^;#=\s[\]]+)(\[\])?[ \t]*=[ \t]*(.*?)[ \t]*\r?$/gm)) {
    const whole = value!.replace(/^(["'])(.*)\1$/, '$2').replace(/\$\{(\w+)\}/g, (all, name) => env[name] ?? all);
    yield [key!, { value: whole, isList: list !== undefined }];
  }
}

/** Returns the nearest folder that contains a package, starting at `folder`, as npm does. */
function projectOf(folder: string, exists: Machine['exists']): string {
  for (let at = folder; ; at = path.dirname(at)) {
    if (exists(path.join(at, 'package.json')) || exists(path.join(at, 'node_modules'))) return at;
    if (at === path.dirname(at)) return folder;
  }
}
