// Reads the weights of a TorchScript archive, as torch.jit.save and C++'s torch::save write them. The program in it is never run: only the lists of each
// class's parameters and buffers are read from its code.
//
//   net/data.pkl                the module, an object with one attribute for each parameter, buffer, module and other value
//   net/data/0, data/1 …        the bytes of each storage
//   net/constants.pkl           tensors that the code uses; never read
//   net/code/__torch__.py …     the code, of which these lines are read:
//
//     class Linear(Module):
//       __parameters__ = ["weight", "bias", ]
//       __buffers__ = []
//
// Format: torch/csrc/jit/serialization/python_print.cpp and pickler.cpp.
import { formatError } from '../errors';
import { maxScriptBytes } from '../limits';
import { cost } from '../pickle/budget';
import type { Unpickled } from '../pickle/unpickled';
import { kindOf, PickleCall, PickleDict, PickleGlobal, type PickleValue } from '../pickle/values';
import { isTensor } from '../tensors';
import type { ZipDirectory, ZipRecord } from './zip-directory';

/** Names of a class's parameters and buffers, in the order of state_dict(). */
interface ScriptClass {
  parameters: readonly string[];
  buffers: readonly string[];
}

const recipe = "in Python: torch.save(torch.jit.load('in.pt', map_location='cpu').state_dict(), 'out.pth')";

export function isTorchScript({ records }: ZipDirectory): boolean {
  return records.has('constants.pkl') && records.has('data.pkl');
}

/**
 * Gives every module of a TorchScript archive the attributes that torch.save(module) writes (`_parameters`, `_buffers`,
 * `_modules`), so that it is read like those. `read` returns the bytes of a record.
 */
export async function asPickledModule(
  { value, memory }: Unpickled,
  directory: ZipDirectory,
  read: (record: ZipRecord) => Promise<Buffer>,
): Promise<void> {
  const classes = await readClasses(directory, read);
  const classOf = (item: PickleValue) => (item instanceof PickleCall ? classes.get(nameOf(item)) : undefined);
  if (!classOf(value)) throw formatError('Expected a module in data.pkl of the TorchScript archive but found none');
  if ([...classes.values()].every(({ parameters, buffers }) => parameters.length + buffers.length === 0))
    throw formatError(
      'the TorchScript archive has no weights of its own. torch.jit.freeze makes them constants of the code, and quantisation packs them; save the module before',
    );
  const open = [value as PickleCall];
  const seen = new Set(open);
  for (let module = open.pop(); module; module = open.pop()) {
    const attributes = module.state;
    if (!(attributes instanceof PickleDict))
      throw formatError(
        `${nameOf(module)} of the TorchScript archive restores its state by code, which is never run; ${recipe}`,
      );
    const { parameters, buffers } = classOf(module)!;
    const entries = 3 + attributes.size + parameters.length + buffers.length;
    memory.take(5 * cost.container + 4 * cost.room + 2 * cost.entry * entries);
    const modules = [...attributes.entries].filter((entry): entry is [PickleValue, PickleCall] => !!classOf(entry[1]));
    const held = (names: readonly string[]) => names.map((name) => [name, weightIn(attributes, name)] as const);
    module.state = dictOf([
      ...attributes.entries,
      ['_parameters', dictOf(held(parameters))],
      ['_buffers', dictOf(held(buffers))],
      ['_modules', dictOf(modules)],
    ]);
    for (const [, child] of modules) {
      if (seen.has(child)) continue;
      seen.add(child);
      open.push(child);
    }
  }
}

function weightIn(attributes: PickleDict, name: string): PickleValue {
  const value = attributes.entries.get(name);
  if (value === undefined || (value !== null && !isTensor(value)))
    throw formatError(
      `Expected a tensor for ${JSON.stringify(name)} of a module in the TorchScript archive but found ${kindOf(value)}`,
    );
  return value;
}

function nameOf({ callee }: PickleCall): string {
  return callee instanceof PickleGlobal ? callee.name : '';
}

function dictOf(entries: readonly (readonly [PickleValue, PickleValue])[]): PickleDict {
  const dict = new PickleDict();
  for (const [key, value] of entries) dict.entries.set(key, value);
  return dict;
}

const classLines = /^class (\S+)\(Module\):\n {2}__parameters__ = \[(.*)\]\n {2}__buffers__ = \[(.*)\]$/gm;

/** Returns the classes by the names that data.pkl uses, such as __torch__.torch.nn.modules.linear.Linear. */
async function readClasses(
  { records }: ZipDirectory,
  read: (record: ZipRecord) => Promise<Buffer>,
): Promise<Map<string, ScriptClass>> {
  const classes = new Map<string, ScriptClass>();
  let bytes = 0;
  for (const [name, record] of records) {
    const module = /^code\/(.*)\.py$/.exec(name)?.[1]?.replaceAll('/', '.');
    if (module === undefined) continue;
    bytes += record.bytes;
    if (bytes > maxScriptBytes) throw formatError(`its code is larger than ${maxScriptBytes} bytes`);
    for (const [, title, parameters, buffers] of (await read(record)).toString('utf8').matchAll(classLines))
      classes.set(`${module}.${title}`, { parameters: namesIn(parameters!), buffers: namesIn(buffers!) });
  }
  return classes;
}

function namesIn(list: string): string[] {
  return [...list.matchAll(/"([^"\\]*)"/g)].map(([, name]) => name!);
}
