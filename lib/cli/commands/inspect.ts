// `torch-incremental inspect`: shows the content of a checkpoint or of an exported model. Reads no tensors, and needs no libtorch; only
// --stats loads it.
import { type FileDescription, inspectFile } from '../../checkpoint/inspect';
import type { Checkpoint } from '../../checkpoint/parsed';
import { fromNative, LearnError } from '../../core/errors';
import { bytes, count, counted } from '../../core/format';
import { printable, shortened } from '../../core/printable';
import { recogniseModel } from '../../models/recognise';
import { knownModelText, skeletonOf } from '../../models/skeleton';
import { native } from '../../native/native';
import type { TensorStats } from '../../native/state-plans';
import type { Model } from '../../program/module';
import { loadOpened } from '../../state/load';
import { stateHandle } from '../../state/state';
import { wrongUsage } from '../arguments';
import { checkpointOptions } from '../checkpoint';
import { command as define, on } from '../command';
import { showModel } from '../exported-model';
import { isExported } from '../model-file';
import { plainTable } from '../tables';
import { JsonTree, treeLines } from '../tree';

const containers = {
  zip: 'PyTorch zip checkpoint',
  legacy: 'PyTorch checkpoint of before 1.6 (legacy stream)',
  safetensors: 'safetensors file',
};

/** Limits of the text output; --json has everything. */
const maxTensors = 5000;
const maxKeys = 50;
const maxName = 200;

export const command = define({
  name: 'inspect',
  description: [
    'Shows the content of a checkpoint, the model it fits, and whether Python',
    'loads it with weights_only. Of a sharded one, name its index or its folder. Of a',
    'model that torch.export saved (.pt2), shows inputs, outputs, operators, modules',
    'and tensors.',
  ].join('\n'),
  argument: 'file',
  options: {
    ...checkpointOptions,
    stats: on('Load the tensors and show min, max, mean, and how many are NaN or infinite'),
    json: on('Print the result as one line of JSON'),
    asModel: on('Print a JavaScript file with a model of such tensors, to be completed'),
  },
  examples: [
    'inspect updated_model.pth',
    'inspect run.ckpt --key ema --stats',
    'inspect a.pth --json | jq .tensors[].name',
    'inspect model.pt2',
    'inspect mine.pth --as-model > model.mjs',
  ],
  async run(file, { json, stats, asModel, key, stripPrefix }, context) {
    const { terminal, signal } = context;
    if (isExported(file)) {
      const flag = stats
        ? '--stats'
        : asModel
          ? '--as-model'
          : key !== undefined
            ? '--key'
            : stripPrefix !== undefined
              ? '--strip-prefix'
              : '';
      if (flag !== '') throw wrongUsage(`${flag} is for checkpoints, but ${file} is a model`);
      await showModel(file, json, context);
      return 0;
    }
    if (asModel && (json || stats))
      throw wrongUsage(`--as-model prints a program, without --${json ? 'json' : 'stats'}`);
    let values: TensorStats[] | undefined;
    const contents = await inspectFile(file, { key, stripPrefix, signal }, async (checkpoint) => {
      if (stats) values = [...(values ?? []), ...(await statsOf(checkpoint, signal))];
    });
    const known = modelOf(contents);
    if (asModel) {
      terminal.print((known ? knownModelText(known) : skeletonOf(contents.tensors)).trimEnd());
      return 0;
    }
    const model = known?.name ?? null;
    if (json) {
      const tensors = contents.tensors.map((tensor, i) => ({ ...tensor, ...(values && { stats: values[i] }) }));
      const tree = new JsonTree();
      const metadata = tree.of(contents.metadata);
      const facts = new JsonTree(Infinity, Infinity).of({ ...contents, tensors, metadata: null, model });
      terminal.print(JSON.stringify({ ...(facts as object), metadata }));
      if (tree.isCut)
        terminal.note('The metadata is too large to be printed whole; omitted parts are marked "omitted"');
      return 0;
    }
    const { bold, dim } = terminal.colors;
    const { kind, byteorder, totals, keys, weightsOnly } = contents;
    const shards = contents.shards === undefined ? '' : ` in ${counted(contents.shards, 'shard')}`;
    terminal.print(
      `${bold(printable(file))}: ${containers[kind]}${shards}, ${bytes(contents.bytes)}, ${byteorder}-endian`,
    );
    if (contents.key !== '' || keys.length > 1) {
      const others = keys
        .filter((name) => name !== contents.key)
        .map((name) => shortened(name, maxName) || 'the whole');
      const rest = others.length > maxKeys ? ` and ${count(others.length - maxKeys)} more` : '';
      const more = others.length > 0 ? `; --key also takes ${others.slice(0, maxKeys).join(', ')}${rest}` : '';
      terminal.print(`Showing the dict under the key ${shortened(contents.key, maxName) || '(none)'}${more}`);
    }
    const { prefix, leftOut } = contents.stripped;
    const without = leftOut.length > 0 ? `; left out: ${leftOut.join(', ')}` : '';
    if (prefix !== '') terminal.print(`Names are shown without the prefix ${prefix}${without}`);
    terminal.print(
      `Fits ${model ?? 'no known model; pass your own as the option "model" (--as-model prints a start)'}`,
    );
    terminal.print(
      `Python's weights_only ${weightsOnly.loads ? 'loads it' : `refuses it: ${printable(weightsOnly.because ?? '')}`}\n`,
    );
    terminal.print(tensorTable(contents, values, dim));
    const elements = `${count(totals.elements)} elements, ${bytes(totals.bytes)}`;
    terminal.print(`\n  ${counted(totals.tensors, 'tensor')}, ${elements} in ${counted(totals.storages, 'storage')}`);
    if (contents.metadata.size > 0) terminal.print(['', ...treeLines(contents.metadata)].join('\n  '));
    return 0;
  },
});

function tensorTable(
  { tensors }: FileDescription,
  stats: TensorStats[] | undefined,
  dim: (text: string) => string,
): string {
  const heads = ['tensor', 'shape', 'dtype', 'size', ...(stats ? ['min', 'max', 'mean', 'NaN', 'Inf'] : ['shares'])];
  const listed = tensors.slice(0, maxTensors);
  const rows = listed.map(({ name, shape, dtype, bytes: size, sharedWith }, i) => {
    const { min, max, mean, nan, infinite } = stats?.[i] ?? {};
    const numbers = [min, max, mean].map((value) =>
      Number.isNaN(value) ? '–' : String(Number(value?.toPrecision(4))),
    );
    const more = stats ? [...numbers, count(nan ?? 0), count(infinite ?? 0)] : [shortened(sharedWith ?? '', maxName)];
    return [shortened(name, maxName), `[${shape.join(', ')}]`, dtype, bytes(size), ...more];
  });
  const align = heads.map((_, i) => (i < 3 || (!stats && i === 4) ? ('left' as const) : ('right' as const)));
  const table = plainTable(heads.map(dim), align, rows);
  if (listed.length === tensors.length) return table;
  return `${table}\n  … ${counted(tensors.length - listed.length, 'more tensor')} (all of them with --json)`;
}

async function statsOf(checkpoint: Checkpoint, signal: AbortSignal): Promise<TensorStats[]> {
  const state = await loadOpened(checkpoint, signal);
  try {
    return await fromNative(() => native().stateStats(stateHandle(state)));
  } finally {
    state.dispose();
  }
}

function modelOf(contents: FileDescription): Model | undefined {
  try {
    return recogniseModel(contents);
  } catch (error) {
    if (error instanceof LearnError) return undefined;
    throw error;
  }
}
