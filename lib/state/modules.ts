// The `_metadata` of a state dict, which has the version of every module by its path, while names of tensors change.
import type { Value } from '../checkpoint/values';

type Modules = ReadonlyMap<Value, Value>;

/** The paths of the modules around `name`, the innermost first: 'a.b' and 'a' and '' for 'a.b.weight'. */
function modulesAround(name: string): string[] {
  const paths: string[] = [];
  for (let dot = name.lastIndexOf('.'); dot >= 0; dot = name.lastIndexOf('.', dot - 1)) {
    paths.push(name.slice(0, dot));
    if (dot === 0) break;
  }
  paths.push('');
  return paths;
}

/** Without the modules that have lost all their tensors, and what is in them. Modules that never had any stay with the module around them. */
export function keptModules(modules: Modules, before: readonly string[], after: readonly string[]): Modules {
  const lost = new Set(before.flatMap(modulesAround));
  for (const name of after) for (const path of modulesAround(name)) lost.delete(path);
  const isLost = (path: string) => lost.has(path) || modulesAround(path).some((around) => lost.has(around));
  return new Map([...modules].filter(([path]) => typeof path !== 'string' || !isLost(path)));
}

/**
 * With the paths that follow from new names of the tensors. 'a.b.weight' that becomes 'c.b.weight' makes 'a.b' 'c.b', and 'a' 'c'; a
 * module without tensors moves with the one around it. The outermost module stays, unless another becomes it.
 */
export function renamedModules(modules: Modules, names: ReadonlyMap<string, string>): Modules {
  const targets = targetsOf(names);
  const targetOf = (path: string): readonly string[] => {
    const known = targets.get(path);
    if (known) return path === '' ? ['', ...known] : [...known];
    const around = modulesAround(path).find((one) => targets.has(one));
    const moves = around === undefined ? undefined : targets.get(around);
    // Where only some modules move, one that has no tensors stays.
    if (around === undefined || !moves || moves.has(around)) return [path];
    return [...moves].map((target) => joined(target, around === '' ? path : path.slice(around.length + 1)));
  };
  const moved = new Map<Value, Value>();
  for (const [path, facts] of modules) {
    if (typeof path !== 'string') moved.set(path, facts);
    // A later module is further inside: its facts are those of the module, and the other's those of a wrapper.
    else for (const target of targetOf(path)) moved.set(target, facts);
  }
  return moved;
}

/** The new paths of modules by the old ones. A module whose tensors part has several. */
function targetsOf(names: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const targets = new Map<string, Set<string>>();
  for (const [from, to] of names) {
    const [old, now] = [from.split('.'), to.split('.')];
    for (let cut = 1; cut <= Math.min(old.length, now.length); cut++) {
      if (old.at(-cut) !== now.at(-cut)) break;
      const path = old.slice(0, -cut).join('.');
      targets.set(path, (targets.get(path) ?? new Set()).add(now.slice(0, -cut).join('.')));
    }
  }
  return targets;
}

function joined(path: string, rest: string): string {
  return path === '' ? rest : `${path}.${rest}`;
}

/** The entries of both, those of `a` where both have a key, in an order that keeps that of each where one exists. */
export function mergedInOrder<Key, Item>(a: ReadonlyMap<Key, Item>, b: ReadonlyMap<Key, Item>): Map<Key, Item> {
  const merged = new Map<Key, Item>();
  const others = [...b];
  const places = new Map(others.map(([key], i) => [key, i]));
  let at = 0;
  const takeUntil = (end: number) => {
    for (; at < end; at++) if (!a.has(others[at]![0])) merged.set(...others[at]!);
  };
  for (const [key, item] of a) {
    const place = places.get(key);
    if (place !== undefined && place >= at) {
      takeUntil(place);
      at = place + 1;
    }
    merged.set(key, item);
  }
  takeUntil(others.length);
  return merged;
}
