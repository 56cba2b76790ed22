// `torch-incremental inspect`: what a checkpoint holds. Reads its directory and its pickle, not its tensors, and needs no
// libtorch.
import { dtypes } from '../../checkpoint/dtypes';
import { type Pth, parsePth } from '../../checkpoint/pth';
import { LearnError } from '../../errors';
import { bytes, count, counted } from '../../format';
import { recogniseModel } from '../../match';
import { command as define, on } from '../command';
import { plainTable } from '../tables';

export const command = define({
  name: 'inspect',
  description: 'Shows what a checkpoint (.pth) holds, and which model it fits.',
  argument: 'file',
  options: { json: on('Print it as one line of JSON') },
  examples: ['inspect updated_model.pth', 'inspect updated_model.pth --json | jq .tensors[].name'],
  async run(file, { json }, { terminal, signal }) {
    const contents = describe(file, await parsePth(file, signal));
    if (json) {
      terminal.print(JSON.stringify(contents));
      return 0;
    }
    const { tensors, metadata, model } = contents;
    const { bold, dim } = terminal.colors;
    terminal.print(`${bold(file)}: PyTorch zip checkpoint, ${bytes(contents.bytes)}, ${contents.byteOrder}-endian`);
    terminal.print(`Fits ${model ?? 'no model that is known here; pass your own as the option "model"'}\n`);
    terminal.print(
      plainTable(
        ['tensor', 'shape', 'dtype', 'size'].map(dim),
        ['left', 'left', 'left', 'right'],
        tensors.map(({ name, shape, dtype, bytes: size }) => [name, `[${shape.join(', ')}]`, dtype, bytes(size)]),
      ),
    );
    const elements = `${count(contents.elements)} elements, ${bytes(contents.storageBytes)}`;
    terminal.print(`\n  ${counted(tensors.length, 'tensor')}, ${elements} in ${counted(contents.storages, 'storage')}`);
    for (const [key, value] of Object.entries(metadata))
      terminal.print(`  ${key}: ${shortened(JSON.stringify(value))}`);
    return 0;
  },
});

function describe(path: string, { stateDict, fileBytes, byteorder }: Pth) {
  const tensors = stateDict.tensors.map(({ name, shape, dtype }) => {
    const elements = shape.reduce((product, length) => product * length, 1);
    return { name, shape, dtype, elements, bytes: elements * dtypes[dtype].bytes };
  });
  return {
    path,
    bytes: fileBytes,
    byteOrder: byteorder,
    model: modelOf(stateDict),
    elements: tensors.reduce((sum, { elements }) => sum + elements, 0),
    storages: stateDict.storages.length,
    // Not the sum of the tensors': some share a storage, and some do not fill theirs.
    storageBytes: stateDict.storages.reduce((sum, { record }) => sum + record.bytes, 0),
    tensors,
    metadata: plain(stateDict.metadata) as Record<string, unknown>,
  };
}

function modelOf(stateDict: Pth['stateDict']): string | null {
  try {
    return recogniseModel(stateDict).name;
  } catch (error) {
    if (error instanceof LearnError) return null;
    throw error;
  }
}

/** Maps as objects, for JSON. */
function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}… (all of it with --json)` : text;
}
