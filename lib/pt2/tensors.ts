// Joins the parameters, buffers and constants of a program's signature with their records, finds ties, and orders the state.
//
// Ties: names with one storage, offset, sizes and strides are one tensor. The signature lists an input for each name, but nodes may use
// any one of them, so a reader that does not join them trains a copy that nothing uses.
import { formatError } from '../checkpoint/errors';
import type { StoredBytes } from '../checkpoint/storages';
import type { Pt2Archive, TensorKind } from './archive';
import { dtypeOf } from './enums';
import type { ExportedProgram, ProgramTensor } from './graph';
import type { Located } from './located';
import type { InputSpec } from './signature';
import { type StoredTensor, storedTensors } from './stored-tensors';
import { readShape } from './symbols';
import { mapInTurns } from './turns';

interface NamedTensor {
  role: ProgramTensor['role'];
  name: string;
  value: string;
  persistent: boolean;
  stored: StoredTensor;
  place: Located;
}

export async function readTensors(
  archive: Pt2Archive,
  program: string,
  specs: readonly InputSpec[],
  values: Located,
): Promise<Pick<ExportedProgram, 'tensors' | 'storages'>> {
  const records = {
    weights: await storedTensors(archive, program, 'weights'),
    constants: await storedTensors(archive, program, 'constants'),
  };
  const used = new Set<string>();
  const add = (spec: InputSpec) => namedTensor(spec, records, values, used);
  const named = (await mapInTurns(specs, add, archive.signal)).filter((tensor) => tensor !== undefined);
  const unused = [...records.weights.keys()].find((name) => !used.has(name));
  if (unused !== undefined)
    throw formatError(
      `the archive holds weights ${JSON.stringify(unused.slice(0, 200))} that are no input of the program`,
    );
  return joined(named, archive.signal);
}

/** Keys of a signature's inputs that are tensors, by their kind: where the name is. */
const nameKeys: ReadonlyMap<string, readonly [role: ProgramTensor['role'], key: string]> = new Map([
  ['parameter', ['parameter', 'parameter_name']],
  ['buffer', ['buffer', 'buffer_name']],
  ['tensor_constant', ['constant', 'tensor_constant_name']],
]);

/** Adds the name to `used`. Undefined for inputs that are arguments of forward(). */
function namedTensor(
  { kind, place, value }: InputSpec,
  records: Readonly<Record<TensorKind, ReadonlyMap<string, StoredTensor>>>,
  values: Located,
  used: Set<string>,
): NamedTensor | undefined {
  const [role, key] = nameKeys.get(kind) ?? [];
  if (role === undefined || key === undefined) return undefined;
  const name = place.field(key).name();
  if (used.has(name)) throw place.error(`the name ${JSON.stringify(name)} occurs twice`);
  used.add(name);
  const persistent = role === 'parameter' || (role === 'buffer' && place.field('persistent').flag());
  const from: TensorKind = persistent ? 'weights' : 'constants';
  const stored = records[from].get(name);
  if (!stored) throw place.error(`the ${from} of the archive hold no tensor ${JSON.stringify(name)}`);
  if (stored.isParameter !== (role === 'parameter') && role !== 'constant')
    throw place.error(`${JSON.stringify(name)} is a ${role} of the program, but not so among its ${from}`);
  checkMeta(values.field(value!.name), stored);
  return { role, name, value: value!.name, persistent, stored, place };
}

/** Compares the graph's description of a tensor with the stored one. */
function checkMeta(meta: Located, { dtype, shape }: StoredTensor): void {
  const [wanted, sizes] = [dtypeOf(meta.field('dtype')), readShape(meta)];
  if (wanted !== dtype || sizes.length !== shape.length || sizes.some((size, i) => size !== shape[i]))
    throw meta.error(`Expected ${wanted} of shape ${JSON.stringify(sizes)} but ${dtype} of shape [${shape}] is stored`);
}

async function joined(
  named: readonly NamedTensor[],
  signal: AbortSignal | undefined,
): Promise<Pick<ExportedProgram, 'tensors' | 'storages'>> {
  const storages: StoredBytes[] = [];
  const numbers = new Map<StoredBytes, number>();
  const ties = new Map<string, NamedTensor[]>();
  const join = (tensor: NamedTensor) => {
    const { dtype, shape, stride, offset, storage } = tensor.stored;
    if (!numbers.has(storage)) numbers.set(storage, storages.push(storage) - 1);
    // Empty tensors hold nothing that could be shared; torch gives them any record.
    const own = shape.includes(0) ? tensor.name : '';
    const key = JSON.stringify([numbers.get(storage), tensor.role, dtype, shape, stride, offset, own]);
    const tied = ties.get(key);
    if (tied) tied.push(tensor);
    else ties.set(key, [tensor]);
  };
  await mapInTurns(named, join, signal);
  const made = (tied: readonly NamedTensor[]): ProgramTensor => {
    const [{ role, persistent, stored }] = tied as [NamedTensor];
    const other = tied.find((one) => one.stored.requiresGrad !== stored.requiresGrad);
    if (other)
      throw other.place.error('it is one tensor with another that has gradients, but has none itself, or the reverse');
    const { dtype, shape, stride, offset, storage, requiresGrad } = stored;
    return Object.freeze({
      role,
      names: Object.freeze(tied.map(({ name }) => name)),
      values: Object.freeze(tied.map(({ value }) => value)),
      persistent,
      requiresGrad: role === 'parameter' && requiresGrad,
      dtype,
      shape: Object.freeze(shape),
      stride: Object.freeze(stride),
      offset,
      storage: numbers.get(storage)!,
    });
  };
  const tensors = await mapInTurns(ties.values(), made, signal);
  return { tensors: Object.freeze(tensors), storages: Object.freeze(storages) };
}

/** Orders the state as state_dict() does: module by module, its parameters before its persistent buffers. */
export function stateOrder(tensors: readonly ProgramTensor[], modules: readonly string[]): ExportedProgram['state'] {
  const owned = new Map(modules.map((path) => [path, { parameter: [] as Entry[], buffer: [] as Entry[] }]));
  const others: Entry[] = [];
  tensors.forEach(({ role, names, persistent }, tensor) => {
    if (!persistent || role === 'constant') return;
    for (const name of names) {
      const owner = owned.get(name.slice(0, Math.max(0, name.lastIndexOf('.'))));
      (owner?.[role] ?? others).push(Object.freeze({ name, tensor }));
    }
  });
  return Object.freeze([
    ...[...owned.values()].flatMap(({ parameter, buffer }) => [...parameter, ...buffer]),
    ...others,
  ]);
}

type Entry = ExportedProgram['state'][number];
