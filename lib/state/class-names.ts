// Names of the classes of a classifier, in the order of its outputs, which a state carries as `class_names` of its metadata. In a file they
// are an attribute of the state dict, as `_metadata` is: a list that Python has as `state_dict.class_names` and that is no key of the dict,
// so that load_state_dict(strict=True) takes the file as before. They are also read from an entry beside the dict, as in
// `torch.save({'model': state_dict, 'class_names': names})`, which is renewed with them.
import { isUnicode } from '../checkpoint/pickle/wtf8';
import type { Tree } from '../checkpoint/tree';
import { OrderedDict, type Value } from '../checkpoint/values';
import { type Check, invalid } from '../core/checks';
import { LearnError } from '../core/errors';
import { shortened } from '../core/printable';
import { rebuilt } from './edit';
import { derivedState, type State, treeOf } from './state';

const key = 'class_names';
/** Characters of a name: far fewer than a file may hold, so that what is named here can be loaded. */
const longest = 1000;

const isName = (value: unknown) =>
  typeof value === 'string' && value !== '' && value.length <= longest && isUnicode(value);

/** Names of classes, each once. */
export const isClassNames: Check = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) throw invalid('an array of names of classes', name, value);
  const names: unknown[] = [...value];
  const wrong = names.findIndex((one) => !isName(one));
  if (wrong >= 0) throw invalid(`a name of 1 to ${longest} characters`, `${name}[${wrong}]`, names[wrong]);
  const twice = doubled(names as string[]);
  if (twice !== undefined) throw nameTaken(twice, `${name}[${names.indexOf(twice)}]`);
  return names;
};

/** The first name that was there before. */
function doubled(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((one) => seen.size === seen.add(one).size);
}

/** The error of a name that another class has, `where` it is. */
export function nameTaken(name: string, where: string): LearnError {
  const message = `Expected each name of a class once, but '${shortened(name, 200)}' is ${where} already`;
  return new LearnError('ERR_INVALID_OPTION', message);
}

/** Where the names of a state's classes are, or would be. */
function entriesOf({ root, part }: Tree): readonly (Value | undefined)[] {
  const attributes = part instanceof OrderedDict ? part.attributes : undefined;
  return [attributes?.get(key), root !== part && root instanceof Map ? root.get(key) : undefined];
}

/** The names of a state's classes; undefined where it has none, or something else under their key. */
export function classNamesOf(state: State): readonly string[] | undefined {
  const found = entriesOf(treeOf(state)).find((value) => {
    return Array.isArray(value) && value.every(isName) && new Set(value).size === value.length;
  });
  return found === undefined ? undefined : [...(found as string[])];
}

/** What rebuilt() needs to give a state these names: attributes of its dict, and values that are replaced elsewhere. */
export function naming(tree: Tree, names: readonly string[]) {
  const { part } = tree;
  const list: Value = [...names];
  const old = part instanceof OrderedDict ? part.attributes : undefined;
  const replaced = entriesOf(tree).filter((value) => Array.isArray(value)) as Value[];
  return {
    attributes: new Map<Value, Value>([...(old ?? []), [key, list]]),
    replaced: new Map(replaced.map((value) => [value, list])),
  };
}

/** The dict of a state with names of its classes, to be written; undefined: without. */
export function namedDict(tree: Tree, names: readonly string[] | undefined): Value {
  if (names === undefined) return tree.part;
  const dict = new OrderedDict(tree.part);
  dict.attributes = naming(tree, names).attributes;
  return dict;
}

/** The same state with names of its classes, which takes the place of the given one; undefined: without. */
export function named(state: State, names: readonly string[] | undefined): State {
  if (names === undefined) return state;
  const tree = treeOf(state);
  const { attributes, replaced } = naming(tree, names);
  const result = derivedState(rebuilt(tree, [...tree.part], attributes, replaced), [state]);
  state.dispose();
  return result;
}
