// Opens a checkpoint of any supported format and describes it: the tensors of its state, its other values, and the plan
// from which the addon reads the tensors. No tensor data is read here.
import { plain } from '../core/checks';
import type { ReadPlan } from '../native/state-plans';
import { containerOf } from './containers/detect';
import { CheckpointFile } from './containers/file';
import { readLegacy } from './containers/legacy';
import { readZip } from './containers/zip';
import { naming } from './errors';
import type { Checkpoint, ParseOptions } from './parsed';
import { whyRefused } from './pickle/weights-only';
import { Resolver, TensorList } from './resolve';
import { readSafetensors } from './safetensors/read';
import { checkUnique, keyOf, selectPart } from './select';
import type { PickleContainer } from './storages';
import { TensorReader } from './tensors';
import { buildTree, NamedTensors } from './tree';
import { refuseActing } from './unsafe-names';

/** Calls `use` while the file is open. Errors of the parsers begin with the file's name. */
export function withCheckpoint<T>(
  path: string,
  options: ParseOptions,
  use: (checkpoint: Checkpoint) => Promise<T>,
): Promise<T> {
  return CheckpointFile.with(path, (file) => naming(path, async () => use(await parse(file, plain(options)))));
}

async function parse(file: CheckpointFile, options: ParseOptions): Promise<Checkpoint> {
  const kind = await containerOf(file);
  if (kind === 'safetensors') return readSafetensors(file, options);
  return readPickled(file, await (kind === 'zip' ? readZip : readLegacy)(file, options.signal), options);
}

function readPickled(file: CheckpointFile, container: PickleContainer, options: ParseOptions): Checkpoint {
  const { value, globals, memory } = container.pickle;
  refuseActing(value, globals);
  const selection = selectPart(value, options.key, globals);
  if (options.key === undefined && !options.takeFirst) checkUnique(selection);
  const reader = new TensorReader(container.storages, container.facts, memory);
  const named = new NamedTensors();
  const extras = new TensorList();
  const resolver = new Resolver(reader, extras, memory);
  const tree = buildTree(value, selection.part, { reader, resolver, named, stripPrefix: options.stripPrefix });
  return {
    file,
    facts: container.facts,
    names: named.names,
    tensors: named.tensors,
    extras: extras.tensors,
    storages: reader.storages,
    tree,
    key: keyOf(selection.part),
    keys: selection.candidates.map(keyOf),
    refusedByWeightsOnly: whyRefused(container.pickle),
    sources: [named.source, extras.source],
  };
}

/** Makes the addon's plan for reading the tensors. The file must still be open: offsets are looked up in it. */
export async function readPlan({ file, tensors, extras, storages, names }: Checkpoint): Promise<ReadPlan> {
  const places: ReadPlan['storages'] = [];
  for (const { stored } of storages) places.push(await stored.place());
  return {
    path: file.path,
    descriptor: file.descriptor,
    fileBytes: file.size,
    storages: places,
    parts: [
      tensors.map((tensor, i) => ({ name: names[i]!, ...tensor })),
      extras.map((tensor) => ({ name: '', ...tensor })),
    ],
  };
}
