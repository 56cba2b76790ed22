// Removes the prefixes that wrappers put before every name of a state dict (DataParallel, torch.compile, AveragedModel,
// Lightning and others), and finds the entries that belong to the wrapper and not to the model.
import { LearnError } from '../core/errors';
import { wrappers } from '../program/wrappers';
import { OrderedDict, type Value } from './values';

export interface Stripped {
  /** Names without the prefix, by the names in the file. */
  names: ReadonlyMap<string, string>;
  /** The removed prefix, or ''. */
  prefix: string;
  /** Names in the file that belong to the wrapper. */
  leftOut: readonly string[];
}

/** Nesting depth of wrappers. */
const mostWrappers = 32;

/**
 * Removes `prefix` from the names; for 'auto', the prefixes of wrappers. Throws an error that lists the names without it,
 * unless they are known to belong to a wrapper.
 */
export function stripped(names: readonly string[], prefix: string | undefined): Stripped {
  if (prefix === undefined) return without(names, '', []);
  if (prefix !== 'auto')
    return without(
      names,
      prefix,
      names.filter((name) => isOwn(name, prefix)),
    );
  let taken = '';
  let kept = names;
  let leftOut: string[] = [];
  for (let count = 0; count < mostWrappers; count++) {
    const rest = kept.map((name) => name.slice(taken.length));
    const found = wrappers.filter((wrapper) => rest.some((name) => name.startsWith(wrapper)));
    const next = found.find((wrapper) =>
      rest.every((name) => name.startsWith(wrapper) || isOwn(name, wrapper) || isLoose(name, wrapper)),
    );
    // No prefix can be removed from all names: without() throws and lists those that do not have this one.
    if (next === undefined && found.length > 0 && taken === '') taken = found[0]!;
    if (next === undefined) break;
    leftOut = leftOut.concat(kept.filter((_, i) => !rest[i]!.startsWith(next)));
    kept = kept.filter((_, i) => rest[i]!.startsWith(next));
    taken += next;
  }
  return without(names, taken, leftOut);
}

/** Words in the names of the losses and metrics that a LightningModule keeps next to its model. */
const lossesAndMetrics = new Set(
  'loss losses lossfn criterion criteria metric metrics acc accuracy auroc auc f1 precision recall iou confusion'.split(
    ' ',
  ),
);

/** Whether a name outside `prefix` belongs to the wrapper: the counter of an AveragedModel, or the weights of a loss. */
function isOwn(name: string, prefix: string): boolean {
  if (name.startsWith(prefix)) return false;
  if (prefix.endsWith('module.') && name === `${prefix.slice(0, -'module.'.length)}n_averaged`) return true;
  const first = name.slice(0, Math.max(0, name.indexOf('.')));
  return (
    first.length < 100 &&
    first
      .toLowerCase()
      .split('_')
      .some((word) => lossesAndMetrics.has(word))
  );
}

/** Whether the name is a buffer of the LightningModule itself, such as class weights. */
function isLoose(name: string, wrapper: string): boolean {
  return wrapper === 'model.' && !name.includes('.');
}

function without(names: readonly string[], prefix: string, leftOut: readonly string[]): Stripped {
  const left = new Set(leftOut);
  const kept = names.filter((name) => !left.has(name));
  const others = kept.filter((name) => !name.startsWith(prefix));
  if (others.length === 0) {
    return { names: new Map(kept.map((name) => [name, name.slice(prefix.length)])), prefix, leftOut };
  }
  const shown = others.slice(0, 5).map((name) => JSON.stringify(name.slice(0, 200)));
  const more = others.length > shown.length ? ` and ${others.length - shown.length} more` : '';
  throw new LearnError(
    'ERR_STATE_MISMATCH',
    `Expected every name to begin with ${JSON.stringify(prefix)}, as "stripPrefix" says or as other names do, but there ` +
      `${others.length === 1 ? 'is' : 'are'} ${shown.join(', ')}${more}. Leave "stripPrefix" out to keep the names as they are`,
  );
}

/** Removes the prefix from the module names in the _metadata of a state dict. */
export function strippedModules(attributes: ReadonlyMap<Value, Value>, prefix: string): ReadonlyMap<Value, Value> {
  const modules = attributes.get('_metadata');
  if (prefix === '' || !(modules instanceof Map)) return attributes;
  const kept = new OrderedDict();
  for (const [path, facts] of modules) {
    // For the prefix 'module.', the module 'module' becomes '', and the wrapper around it is dropped.
    if (`${path}.`.startsWith(prefix)) kept.set(`${path}.`.slice(prefix.length).replace(/\.$/, ''), facts);
  }
  return new Map([...attributes, ['_metadata', kept]]);
}
