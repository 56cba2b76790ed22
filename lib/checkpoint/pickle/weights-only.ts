// Predicts from the instructions and names of a pickle whether torch.load(weights_only=True) accepts it, by the lists in
// torch/_weights_only_unpickler.py of PyTorch 2.13. For inspect.ts, and for writable.ts, which writes nothing else.
import { dtypes } from '../dtypes';
import { op } from './opcodes';
import type { Unpickled } from './unpickled';

const words = (text: string) => text.split(' ');

/** Accepted names besides those of tensors and storages. */
const allowed = new Set([
  ...words('collections.OrderedDict collections.Counter builtins.set builtins.complex builtins.bytearray'),
  ...words('_codecs.encode torch.Size torch.device torch.Tensor torch.nn.parameter.Parameter'),
  ...words('torch.serialization._get_layout torch.storage.UntypedStorage torch.storage.TypedStorage'),
  ...words('torch.float4_e2m1fn_x2 torch.bits8 torch.bits16 torch.bits1x8 torch.bits2x4 torch.bits4x2'),
  ...words('torch.qint8 torch.quint8 torch.qint32 torch.quint4x2 torch.quint2x4 torch.per_tensor_affine'),
  ...words('torch.per_tensor_symmetric torch.per_channel_affine torch.per_channel_symmetric'),
  'torch.per_channel_affine_float_qparams',
  ...Object.keys(dtypes).map((name) => `torch.${name}`),
]);

const tensorFunctions = new Set([
  'torch._tensor._rebuild_from_type_v2',
  ...words('tensor tensor_v2 tensor_v3 parameter parameter_with_state sparse_tensor qtensor nested_tensor')
    .concat(words('meta_tensor_no_storage wrapper_subclass device_tensor_from_numpy device_tensor_from_cpu_tensor'))
    .map((name) => `torch._utils._rebuild_${name}`),
]);

const ofNumbers = 'Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool';
const typed = new RegExp(
  `^torch\\.((cuda\\.)?(${ofNumbers}|ComplexFloat|ComplexDouble)Storage|Q\\w+Storage|(cuda\\.)?(sparse\\.)?(${ofNumbers})Tensor)$`,
);

/** Whether a value of this name may be in a file that weights_only accepts. */
export function isPlainName(name: string): boolean {
  return allowed.has(name) || typed.test(name);
}

/** Pickle instructions that weights_only accepts. */
const known = new Set<number>(
  words(
    'PROTO STOP GLOBAL NEWOBJ REDUCE BUILD APPEND APPENDS SETITEM SETITEMS MARK TUPLE TUPLE1 TUPLE2 TUPLE3 NONE NEWFALSE NEWTRUE EMPTY_TUPLE EMPTY_LIST EMPTY_DICT EMPTY_SET BININT BININT1 BININT2 BINFLOAT BINUNICODE SHORT_BINSTRING BINPERSID BINGET LONG_BINGET BINPUT LONG_BINPUT LONG1',
  ).map((name) => op[name as keyof typeof op]),
);

/** Returns the reason why weights_only would refuse the pickle; undefined if it would accept it. */
export function whyRefused({ globals, instructions }: Unpickled): string | undefined {
  const names = new Set(
    globals.map(({ name }) => name).filter((name) => !isPlainName(name) && !tensorFunctions.has(name)),
  );
  if (names.size > 0) return `it names ${[...names].slice(0, 5).join(', ')}${names.size > 5 ? ', …' : ''}`;
  const unknown = [...instructions].find((code) => !known.has(code));
  if (unknown === undefined) return undefined;
  const name = Object.entries(op).find(([, code]) => code === unknown)?.[0];
  return `it uses the pickle instruction ${name}; save it with protocol 2`;
}
