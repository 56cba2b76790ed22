// Prefixes that wrappers put before every name of a state dict: DataParallel, torch.compile, Lightning and others.
import { LearnError } from '../errors';
import { OrderedDict, type Value } from './values';

/** What 'auto' takes away, in any order and number. */
const wrappers = ['module.', '_orig_mod.', 'model.', '_fsdp_wrapped_module.', '_checkpoint_wrapped_module.'];

/** The names without `prefix`, which all must have; with 'auto', without every wrapper's prefix that all have. */
export function stripped(names: readonly string[], prefix: string): string[] {
  if (prefix !== 'auto') return without(names, prefix);
  for (let rest = [...names]; ; ) {
    const shared = wrappers.find((wrapper) => rest.length > 0 && rest.every((name) => name.startsWith(wrapper)));
    if (!shared) return rest;
    rest = without(rest, shared);
  }
}

function without(names: readonly string[], prefix: string): string[] {
  const other = names.find((name) => !name.startsWith(prefix));
  if (other === undefined) return names.map((name) => name.slice(prefix.length));
  throw new LearnError(
    'ERR_STATE_MISMATCH',
    `Expected every name to begin with ${JSON.stringify(prefix)}, as "stripPrefix" says, but there is ${JSON.stringify(other)}`,
  );
}

/** Attributes of a state dict whose _metadata names modules as `names` names tensors: by their keys, without the prefix. */
export function strippedModules(
  attributes: ReadonlyMap<Value, Value>,
  names: ReadonlyMap<unknown, string>,
): ReadonlyMap<Value, Value> {
  const [key, name] = names.entries().next().value ?? ['', ''];
  const prefix = String(key).slice(0, String(key).length - name.length);
  const modules = attributes.get('_metadata');
  if (prefix === '' || !(modules instanceof Map)) return attributes;
  const kept = new OrderedDict();
  for (const [path, facts] of modules) {
    // 'module' is what the prefix 'module.' leaves '' of; the wrapper around it has no name any more.
    if (`${path}.`.startsWith(prefix)) kept.set(`${path}.`.slice(prefix.length).replace(/\.$/, ''), facts);
  }
  return new Map([...attributes, ['_metadata', kept]]);
}
