// The state dict inside a checkpoint: which tensors it names, and what else it carries. For pth.ts.
import { dtypes } from './dtypes';
import { formatError, unsafeError } from './errors';
import {
  kindOf,
  PickleCall,
  PickleDict,
  type PickleGlobal,
  PickleReference,
  PickleTuple,
  type PickleValue,
  step,
} from './pickle-values';
import { isTensor, type StoredStorage, type StoredTensor, TensorReader, tensorFunctions } from './tensors';
import type { Unpickled } from './unpickle';
import type { ZipRecord } from './zip';

export interface StateDict {
  tensors: (StoredTensor & { name: string })[];
  storages: StoredStorage[];
  metadata: Map<string, unknown>;
}

export function readStateDict({ value, globals }: Unpickled, records: ReadonlyMap<string, ZipRecord>): StateDict {
  refuseUnknown(value, globals);
  if (!(value instanceof PickleDict)) {
    throw formatError(`Expected a state dict but found ${kindOf(value)}; in Python, save model.state_dict()`);
  }
  const foreign = [...value.entries].filter(([key, item]) => typeof key !== 'string' || !isTensor(item));
  if (foreign.length > 0) throw notAStateDict(value, foreign);
  const reader = new TensorReader(records);
  const tensors = [...value.entries].map(([name, item]) => ({
    name: name as string,
    ...reader.read(item, step(name)),
  }));
  return { tensors, storages: reader.storages, metadata: readMetadata(value.attributes) };
}

/** Harmless names that files hold besides those of tensors; they stand for values that nothing here looks at. */
const plainGlobals = new Set([
  'collections.OrderedDict',
  'collections.Counter',
  'builtins.set',
  '__builtin__.set',
  'builtins.complex',
  '__builtin__.complex',
  'builtins.bytearray',
  '__builtin__.bytearray',
  '_codecs.encode',
  'torch.Size',
  'torch.device',
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.nn.parameter.Buffer',
  'torch.serialization._get_layout',
  'torch.storage.UntypedStorage',
  ...Object.keys(dtypes).map((name) => `torch.${name}`),
]);

/** Names of PyTorch's own data: storages of all kinds, and how tensors are quantised. */
const dataOfTorch = /^torch\.(cuda\.)?(\w+Storage|per_(tensor|channel)_\w+)$/;

function refuseUnknown(root: PickleValue, globals: readonly PickleGlobal[]): void {
  const unknown = globals.find(
    ({ name }) => !tensorFunctions.has(name) && !plainGlobals.has(name) && !dataOfTorch.test(name),
  );
  if (!unknown) return;
  throw unsafeError(
    `${pathTo(root, unknown)} asks for ${unknown.name}. Only tensors and plain values are read, and nothing a file names ` +
      'is ever run. If you trust the file, save its weights alone with Python: ' +
      'torch.save(model.state_dict(), "weights.pth")',
  );
}

interface Place {
  value: PickleValue;
  path: string;
}

/** Where in the tree a value is. Without recursion, and each value once: hostile trees are deep and have cycles. */
function pathTo(root: PickleValue, wanted: PickleValue): string {
  const seen = new Set<PickleValue>();
  const places: Place[] = [{ value: root, path: '' }];
  for (let place = places.pop(); place; place = places.pop()) {
    if (place.value === wanted) return place.path || 'The whole file';
    if (typeof place.value !== 'object' || seen.has(place.value)) continue;
    seen.add(place.value);
    for (const inner of insides(place)) places.push(inner);
  }
  return 'Something outside the stored value';
}

function insides({ value, path }: Place): Place[] {
  const same = (...values: (PickleValue | undefined)[]) =>
    values.flatMap((inner) => (inner === undefined ? [] : [{ value: inner, path }]));
  if (value instanceof PickleDict) {
    const items = [...value.entries].map(([key, item]) => ({ value: item, path: extend(path, key) }));
    return [...items, ...same(...value.entries.keys(), value.attributes)];
  }
  if (Array.isArray(value)) return value.map((item, i) => ({ value: item, path: extend(path, i) }));
  if (value instanceof PickleTuple) return same(...value.items);
  if (value instanceof PickleReference) return same(value.id);
  return value instanceof PickleCall ? same(value.callee, value.args, value.state) : [];
}

const maxPathLength = 500;

function extend(path: string, key: PickleValue): string {
  return path.length > maxPathLength ? path : path + step(key);
}

/** A training checkpoint, most often: says where in it the weights are. */
function notAStateDict(root: PickleDict, foreign: readonly (readonly [PickleValue, PickleValue])[]) {
  const candidates = [...root.entries].flatMap(([key, item]) => {
    const count = item instanceof PickleDict ? [...item.entries.values()].filter(isTensor).length : 0;
    return count > 0 ? [`${step(key)} (${count} tensors)`] : [];
  });
  const [key, item] = foreign[0]!;
  if (candidates.length === 0)
    return formatError(`Expected a state dict, but ${step(key)} is ${kindOf(item)}, not a tensor`);
  const first = candidates[0]!.replace(/ \(.*/, '').replaceAll('"', "'");
  return formatError(
    `Expected a state dict but found a training checkpoint with the keys ${[...root.entries.keys()].map(step).join(', ')}. ` +
      `Weights are under ${candidates.join(', ')}. Save them alone with Python: python3 -c "import sys, torch; ` +
      `torch.save(torch.load(sys.argv[1], map_location='cpu')${first}, sys.argv[2])" checkpoint.pth weights.pth`,
  );
}

/** `_metadata`, which model.state_dict() attaches: for each module a dict with its version. */
function readMetadata(attributes: PickleDict | undefined): Map<string, unknown> {
  const modules = attributes?.entries.get('_metadata');
  if (modules === undefined) return new Map();
  if (!(modules instanceof PickleDict)) throw formatError(`Expected a dict for _metadata but found ${kindOf(modules)}`);
  return new Map([['_metadata', new Map([...modules.entries].map(([path, facts]) => readModule(path, facts)))]]);
}

function readModule(path: PickleValue, facts: PickleValue): [string, Map<string, unknown>] {
  const entries = facts instanceof PickleDict ? [...facts.entries] : [];
  if (typeof path !== 'string' || !(facts instanceof PickleDict)) {
    throw formatError(`Expected a dict for _metadata${step(path)} but found ${kindOf(facts)}`);
  }
  for (const [key, fact] of entries) {
    if (typeof key === 'string' && (fact === null || typeof fact !== 'object')) continue;
    throw formatError(`Expected a plain value for _metadata${step(path)}${step(key)} but found ${kindOf(fact)}`);
  }
  return [path, new Map(entries as [string, unknown][])];
}
