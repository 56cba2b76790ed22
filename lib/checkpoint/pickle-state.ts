// data.pkl of a state: what torch.save(model.state_dict()) pickles, byte for byte. For saveState.
import type { TensorInfo } from '../native';
import { type DType, dtypes } from './dtypes';
import { op } from './opcodes';
import { Pickler } from './pickler';

/** `modules`: the state dict's _metadata, module by module; undefined for a state dict without. */
export function pickleState(tensors: readonly TensorInfo[], modules: unknown): Uint8Array {
  const pickler = new Pickler();
  pickler.orderedDict();
  pickler.items(tensors, (tensor) => {
    pickler.string(tensor.name);
    writeTensor(pickler, tensor);
  });
  if (modules instanceof Map) writeMetadata(pickler, modules);
  return pickler.finish();
}

function writeTensor(pickler: Pickler, tensor: TensorInfo): void {
  const { bytes, storage } = dtypes[tensor.dtype as DType];
  const integers = (values: readonly number[]) => pickler.tuple(values.map((value) => () => pickler.integer(value)));
  pickler.global('torch._utils', storage ? '_rebuild_tensor_v2' : '_rebuild_tensor_v3');
  const reference = [
    () => pickler.string('storage'),
    () => (storage ? pickler.global('torch', storage) : pickler.global('torch.storage', 'UntypedStorage')),
    // Python makes these strings anew, so they are never the same object as an equal name.
    () => pickler.string(String(tensor.storage), `key ${tensor.storage}`),
    () => pickler.string('cpu'),
    () => pickler.integer(storage ? Math.floor(tensor.storageBytes / bytes) : tensor.storageBytes),
  ];
  pickler.tuple([
    () => {
      pickler.tuple(reference);
      pickler.opcode(op.BINPERSID);
    },
    () => pickler.integer(tensor.offset),
    () => integers(tensor.shape),
    () => integers(tensor.stride),
    () => pickler.boolean(false), // requires_grad: state_dict() detaches
    () => pickler.orderedDict(), // hooks
    ...(storage ? [] : [() => pickler.global('torch', tensor.dtype)]),
  ]);
  pickler.opcode(op.REDUCE);
  pickler.remember();
}

function writeMetadata(pickler: Pickler, modules: ReadonlyMap<unknown, unknown>): void {
  pickler.dict();
  pickler.string('_metadata');
  pickler.orderedDict();
  pickler.items([...modules], ([path, facts]) => {
    pickler.string(String(path));
    pickler.dict();
    pickler.items([...(facts as ReadonlyMap<string, unknown>)], ([key, fact]) => {
      pickler.string(key);
      writePlain(pickler, fact);
    });
  });
  pickler.opcode(op.SETITEM);
  pickler.opcode(op.BUILD);
}

function writePlain(pickler: Pickler, value: unknown): void {
  if (typeof value === 'string') pickler.string(value);
  else if (typeof value === 'boolean') pickler.boolean(value);
  else if (typeof value === 'bigint' || Number.isSafeInteger(value)) pickler.integer(value as number | bigint);
  else if (typeof value === 'number') pickler.float(value);
  else pickler.opcode(op.NONE);
}
