// `torch-incremental inspect`: what a checkpoint holds. Reads its directory and its pickle, not its tensors, and needs no
// libtorch.
import { type FileDescription, inspectFile } from '../../checkpoint/inspect';
import { LearnError } from '../../errors';
import { bytes, count, counted } from '../../format';
import { recogniseModel } from '../../match';
import { command as define, on } from '../command';
import { plainTable } from '../tables';

const kinds: Readonly<Record<FileDescription['kind'], string>> = {
  zip: 'PyTorch zip checkpoint',
  legacy: 'PyTorch checkpoint of before 1.6',
  safetensors: 'safetensors file',
};

export const command = define({
  name: 'inspect',
  description: 'Shows what a checkpoint (.pth, .safetensors) holds, and which model it fits.',
  argument: 'file',
  options: { json: on('Print it as one line of JSON') },
  examples: ['inspect updated_model.pth', 'inspect updated_model.pth --json | jq .tensors[].name'],
  async run(file, { json }, { terminal, signal }) {
    const contents = await inspectFile(file, { signal });
    const model = modelOf(contents);
    if (json) {
      terminal.print(JSON.stringify({ ...contents, model }, mapsAsObjects));
      return 0;
    }
    const { tensors, metadata, totals } = contents;
    const { bold, dim } = terminal.colors;
    const { kind, byteorder } = contents;
    terminal.print(`${bold(file)}: ${kinds[kind]}, ${bytes(contents.bytes)}, ${byteorder}-endian`);
    terminal.print(`Fits ${model ?? 'no model that is known here; pass your own as the option "model"'}\n`);
    terminal.print(
      plainTable(
        ['tensor', 'shape', 'dtype', 'size'].map(dim),
        ['left', 'left', 'left', 'right'],
        tensors.map(({ name, shape, dtype, bytes: size }) => [name, `[${shape.join(', ')}]`, dtype, bytes(size)]),
      ),
    );
    const elements = `${count(totals.elements)} elements, ${bytes(totals.bytes)}`;
    terminal.print(`\n  ${counted(tensors.length, 'tensor')}, ${elements} in ${counted(totals.storages, 'storage')}`);
    for (const [key, value] of metadata) terminal.print(`  ${key}: ${shortened(JSON.stringify(value, mapsAsObjects))}`);
    return 0;
  },
});

function modelOf(contents: FileDescription): string | null {
  try {
    return recogniseModel(contents).name;
  } catch (error) {
    if (error instanceof LearnError) return null;
    throw error;
  }
}

/** For JSON. Own properties whatever the key: assignment would take __proto__ for something else. */
function mapsAsObjects(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Set) return [...value];
  return value instanceof Map ? Object.fromEntries(value) : value;
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}… (all of it with --json)` : text;
}
