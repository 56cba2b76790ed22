// Takes the prefixes of wrappers from the names of a state dict, and leaves out what else wrappers keep there.
import { LearnError } from '../core/errors';
import { wrappers } from '../program/wrappers';
import { OrderedDict, type Value } from './values';

export interface Stripped {
  /** By the names in the file: those without the prefix. */
  names: ReadonlyMap<string, string>;
  /** What was taken from before them: '' for nothing. */
  prefix: string;
  /** Names in the file of what belongs to the wrapper. */
  leftOut: readonly string[];
}

/** Wrappers around wrappers; a name can be long. */
const mostWrappers = 32;

/**
 * The names without `prefix`. With 'auto', without the prefixes of wrappers. Throws, naming them, where some names have none
 * and are not known to be a wrapper's own.
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
    // Nothing that some names have can be taken from all: without() names the others.
    if (next === undefined && found.length > 0 && taken === '') taken = found[0]!;
    if (next === undefined) break;
    leftOut = leftOut.concat(kept.filter((_, i) => !rest[i]!.startsWith(next)));
    kept = kept.filter((_, i) => rest[i]!.startsWith(next));
    taken += next;
  }
  return without(names, taken, leftOut);
}

/** Words in the names of losses and metrics that a LightningModule has beside its model. */
const lossesAndMetrics = new Set(
  'loss losses lossfn criterion criteria metric metrics acc accuracy auroc auc f1 precision recall iou confusion'.split(
    ' ',
  ),
);

/** Whether what is not under `prefix` is the wrapper's: the count of an AveragedModel, or a loss's weights. */
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

/** A buffer of the LightningModule itself, such as the weights of classes. */
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

/** Attributes of a state dict whose _metadata names modules as the state names tensors: without the prefix. */
export function strippedModules(attributes: ReadonlyMap<Value, Value>, prefix: string): ReadonlyMap<Value, Value> {
  const modules = attributes.get('_metadata');
  if (prefix === '' || !(modules instanceof Map)) return attributes;
  const kept = new OrderedDict();
  for (const [path, facts] of modules) {
    // 'module' is what the prefix 'module.' leaves '' of; the wrapper around it has no name any more.
    if (`${path}.`.startsWith(prefix)) kept.set(`${path}.`.slice(prefix.length).replace(/\.$/, ''), facts);
  }
  return new Map([...attributes, ['_metadata', kept]]);
}
