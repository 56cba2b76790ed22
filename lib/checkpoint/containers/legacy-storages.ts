// Collects the storages that the object of a legacy stream refers to, because their sizes are nowhere else in the file.
// An object refers to a storage by a persistent id, a tuple:
//
//   ('storage', torch.FloatStorage, '94063408', 'cpu', 16, None)
//     tag       type                key         location  elements  view: None, or (key, offset, elements) of a part
//
// For legacy.ts.
import { dtypes } from '../dtypes';
import { formatError, unsafeError } from '../errors';
import { kindOf, PickleGlobal, type PickleReference, PickleTuple, type PickleValue } from '../pickle/values';
import { checkStorageName, storageType } from '../tensors';

export interface LegacyStorage {
  /** Name of its Python type, such as torch.FloatStorage. */
  type: string;
  /** Bytes per element. */
  width: number;
  elements: number;
}

/** Storages of quantised tensors, which are not read but must be skipped. */
const quantized: ReadonlyMap<string, number> = new Map([
  ['torch.QInt8Storage', 1],
  ['torch.QUInt8Storage', 1],
  ['torch.QInt32Storage', 4],
  ['torch.QUInt4x2Storage', 1],
  ['torch.QUInt2x4Storage', 1],
]);

/** Storages by key. Every tensor in a storage names it again, and all must agree on its type and size. */
export function namedStorages(references: readonly PickleReference[]): Map<string, LegacyStorage> {
  const storages = new Map<string, LegacyStorage>();
  const views = new Map<string, PartPlace>();
  for (const { id } of references) {
    const [tag, type, key, location, elements, view, ...rest] = id instanceof PickleTuple ? id.items : [];
    if (tag === 'module') throw wholeModel(type);
    const isSound =
      tag === 'storage' && type instanceof PickleGlobal && typeof key === 'string' && typeof location === 'string';
    if (!isSound || view === undefined || rest.length > 0)
      throw formatError(
        `Expected ('storage', type, key, location, elements, view) as the id of a storage but found ${describeId(id)}`,
      );
    checkStorageName(key, location);
    const path = `storage ${JSON.stringify(key)}`;
    const storage = { type: type.name, width: widthOf(type.name, path), elements: countOf(elements, path) };
    const known = storages.get(key) ?? storage;
    if (known.type !== storage.type || known.elements !== storage.elements)
      throw formatError(
        `${path} is named as ${known.elements} elements of ${known.type} and as ${storage.elements} of ${storage.type}`,
      );
    storages.set(key, known);
    noteView(views, view, key, path);
  }
  const both = [...views.keys()].find((key) => storages.has(key));
  if (both !== undefined) throw formatError(`${JSON.stringify(both)} is the key of a storage and of a part of one`);
  return storages;
}

function widthOf(type: string, path: string): number {
  const known = quantized.get(type);
  if (known !== undefined) return known;
  const dtype = storageType(type, path);
  return dtype === undefined ? 1 : dtypes[dtype].bytes;
}

/** Large enough for any file, and small enough that its product with any element width is exact. */
const maxElements = 2 ** 48;

function countOf(elements: PickleValue | undefined, path: string): number {
  if (typeof elements === 'number' && Number.isInteger(elements) && elements >= 0 && elements <= maxElements)
    return elements;
  throw formatError(`Expected a number of elements for ${path} but found ${kindOf(elements)}`);
}

interface PartPlace {
  key: string;
  place: readonly PickleValue[];
}

/** Checks the view of a storage, as PyTorch before 0.4 made them. A view has its own key. tensors.ts checks its bounds. */
function noteView(views: Map<string, PartPlace>, view: PickleValue, key: string, path: string): void {
  if (!(view instanceof PickleTuple)) return;
  const [viewKey, ...place] = view.items.slice(0, 4);
  if (typeof viewKey !== 'string') return;
  checkStorageName(viewKey);
  const known = views.get(viewKey);
  if (known && (known.key !== key || known.place.some((item, i) => item !== place[i])))
    throw formatError(`the part ${JSON.stringify(viewKey)} of ${path} is named as two different ones`);
  if (!known) views.set(viewKey, { key, place });
}

/** The error for a file that refers to a module's class and its source code, which Python would import and compare. */
function wholeModel(type: PickleValue | undefined) {
  return unsafeError(
    `it is a whole model, with the source code of ${kindOf(type)}, and not its weights. Nothing that a file brings is ` +
      'ever run. If you trust the file, save its weights alone with Python: torch.save(model.state_dict(), "weights.pth")',
  );
}

function describeId(id: PickleValue): string {
  return id instanceof PickleTuple ? `(${id.items.slice(0, 8).map(kindOf).join(', ')})` : kindOf(id);
}
