// Writes archives of exported programs in the three forms of PyTorch from a small description, without Python, so that every part can be
// replaced by something hostile:
//
//   archive(model(), { form: 'raw', json: (program) => { program.graph_module.graph.nodes[0].target = 'os.system'; } })
import fs from 'node:fs';
import { join, p, tupleOf, zip } from '../unit/checkpoint-support.mjs';
import { contiguous, elementsOf, gradient, meta, program, storageTypes, text, widths } from './descriptions.mjs';

/** Tensors by their kind, each with its storage: a tensor with `shares` views the storage of another. `from`: numbers that are taken. */
function storagesOf({ tensors }, from) {
  const kinds = { weights: [], constants: [] };
  for (const [name, tensor] of Object.entries(tensors)) {
    const isWeight = tensor.role === 'parameter' || (tensor.role === 'buffer' && tensor.persistent !== false);
    kinds[isWeight ? 'weights' : 'constants'].push([name, tensor]);
  }
  return Object.entries(kinds).map(([kind, list]) => {
    const keys = new Map();
    const elements = [];
    for (const [name, tensor] of list) {
      const key = tensor.shares === undefined ? elements.push(0) - 1 : keys.get(tensor.shares);
      keys.set(name, key);
      elements[key] = Math.max(elements[key], tensor.elements ?? elementsOf(tensor));
    }
    const bytes = elements.map((count, key) => {
      const [, { dtype = 'float32' }] = list.find(([name]) => keys.get(name) === key);
      return Buffer.alloc(count * widths[dtype], key + 1);
    });
    const first = from[kind] ?? 0;
    from[kind] = first + bytes.length;
    return { kind, list, keys, bytes, first };
  });
}

/** {FQN: PayloadMeta} and the raw records. */
function rawRecords(found, prefix, change) {
  const name = found.kind === 'weights' ? 'weight' : 'tensor';
  const config = Object.fromEntries(
    found.list.map(([fqn, tensor]) => [
      fqn,
      {
        path_name: `${name}_${found.first + found.keys.get(fqn)}`,
        is_param: tensor.role === 'parameter',
        use_pickle: false,
        tensor_meta: meta(gradient(tensor)),
      },
    ]),
  );
  change?.(config);
  return [
    ...found.bytes.map((bytes, key) => [`data/${found.kind}/${name}_${found.first + key}`, bytes]),
    [`data/${found.kind}/${prefix}_${found.kind}_config.json`, text({ config })],
  ];
}

/** A checkpoint of torch.save: a dict of tensors and parameters. `items` replaces what is in it, `content` the dict itself. */
export function pickled(found, { items, content, byteorder = 'little' } = {}) {
  const made = found.list.map(([name, tensor]) => [
    p.text(name),
    pickledTensor(tensor, found.keys.get(name), found.bytes),
  ]);
  const data = join(p.proto(), content ?? [p.emptyDict, p.mark, items ?? made, p.setItems], p.stop);
  const files = found.bytes.map((bytes, key) => [`archive/data/${key}`, bytes]);
  return zip([['archive/data.pkl', data], ['archive/byteorder', byteorder], ...files, ['archive/version', '3\n']]);
}

const hooks = [p.global('collections', 'OrderedDict'), p.emptyTuple, p.reduce];
const numbers = (values) => tupleOf(values.map(p.int));

export function pickledTensor(
  { role, dtype = 'float32', shape, stride = contiguous(shape), offset = 0, grad = true },
  key,
  bytes,
) {
  const type = p.global('torch', `${storageTypes[dtype]}Storage`);
  const elements = p.int(bytes[key].length / widths[dtype]);
  const storage = [tupleOf([p.text('storage'), type, p.text(String(key)), p.text('cpu'), elements]), p.persid];
  const rest = [p.int(offset), numbers(shape), numbers(stride), p.false, hooks];
  const tensor = [p.global('torch._utils', '_rebuild_tensor_v2'), tupleOf([storage, ...rest]), p.reduce];
  if (role !== 'parameter') return tensor;
  return [p.global('torch._utils', '_rebuild_parameter'), tupleOf([tensor, grad ? p.true : p.false, hooks]), p.reduce];
}

/**
 * An archive of `description`, or of several by their names. `form`: 'raw' as of torch 2.9, 'pickled' as of 2.8, 'flat' as of 2.6.
 * `json` changes the program and `weights` and `constants` the configs, where they are made, `pickle` the pickled weights; `records` returns other records,
 * [name, bytes, changes of the zip's entry].
 */
export function archive(
  descriptions,
  { form = 'raw', root = 'net', json, weights, constants, pickle, records = (all) => all } = {},
) {
  const all = descriptions.tensors ? { model: descriptions } : descriptions;
  const taken = {};
  const made = Object.entries(all).flatMap(([name, description]) => {
    const built = program(description);
    const content = json?.(built) ?? built;
    const [heavy, fixed] = storagesOf(description, taken);
    const body = Buffer.isBuffer(content) || typeof content === 'string' ? content : text(content);
    if (form === 'raw')
      return [
        ...rawRecords(heavy, name, weights),
        ...rawRecords(fixed, name, constants),
        [`models/${name}.json`, body],
        [`data/sample_inputs/${name}.pt`, bomb],
      ];
    const [heavyFile, fixedFile] = [pickled(heavy, pickle), pickled(fixed)];
    if (form === 'flat')
      return [
        ['serialized_exported_program.json', body],
        ['serialized_state_dict.pt', heavyFile],
        ['serialized_constants.pt', fixedFile],
        ['serialized_example_inputs.pt', bomb],
        ['version', '8.2'],
      ];
    return [
      [`data/weights/${name}.pt`, heavyFile],
      [`data/constants/${name}.pt`, fixedFile],
      [`models/${name}.json`, body],
      [`data/sample_inputs/${name}.pt`, bomb],
    ];
  });
  const notes = [
    ['archive_format', 'pt2'],
    ['archive_version', '0'],
    ['.data/version', '6\n'],
    ['byteorder', 'little'],
    ['.data/serialization_id', '0'.repeat(40)],
  ];
  const placed = records(form === 'flat' ? made : [...made, ...notes]);
  return zip(placed.map(([name, content, changes]) => [form === 'flat' ? name : `${root}/${name}`, content, changes]));
}

/** A pickle that asks for code. Nothing may read it. */
const bomb = join(p.proto(), p.global('os', 'system'), tupleOf([p.text('exit 1')]), p.reduce, p.stop);

export const forms = ['raw', 'pickled', 'flat'];

/** Writes an archive and returns its path. */
export function written(file, content) {
  fs.writeFileSync(file, content);
  return file;
}
