// Classifies the Python names in a pickle: those that belong to checkpoints, and those that run code. None is ever imported or
// called: a name only decides whether the file is read, and which message a refusal has.
import { unsafeError } from './errors';
import { maxSearchedValues } from './limits';
import {
  PickleCall,
  PickleDict,
  type PickleGlobal,
  PickleReference,
  PickleSet,
  PickleTuple,
  type PickleValue,
  step,
} from './pickle/values';
import { isPlainName } from './pickle/weights-only';
import { isTensorFunction } from './tensors';

/** Modules whose functions run code, start processes, open connections, change files or load more pickles. */
const actingModules = new Set(
  [
    'os posix nt sys subprocess commands importlib imp runpy pkgutil zipimport pty tty socket socketserver ssl shutil',
    'ctypes _ctypes cffi code codeop pdb bdb timeit profile cProfile trace doctest unittest distutils setuptools pip',
    'ensurepip venv multiprocessing _posixsubprocess asyncio concurrent threading _thread signal atexit gc inspect types',
    'operator _operator pickle _pickle dill cloudpickle joblib shelve marshal webbrowser urllib urllib2 http httplib',
    'ftplib smtplib poplib imaplib telnetlib xmlrpc requests aiohttp tempfile fileinput glob io _io logging platform',
    'pydoc zipfile zipapp tarfile compileall py_compile cgitb mailcap',
    'sqlite3 linecache idlelib lib2to3 antigravity site test tkinter numpy.testing numpy.f2py numpy.distutils',
    'numpy.ctypeslib torch.hub torch.jit torch.package torch.ops torch._ops torch.classes torch.serialization torch._C',
    'torch._inductor torch._dynamo torch.fx torch.onnx torch.testing torch.multiprocessing torch.distributed.rpc',
    'torch.distributed.run torch.distributed.elastic torch.utils.cpp_extension torch.utils.model_zoo',
    'torch.utils.bottleneck torch.utils.collect_env',
  ].flatMap((line) => line.split(' ')),
);

/** Number of parts of the longest of these names. */
const deepest = Math.max(...[...actingModules].map((name) => name.split('.').length));

/** Names that run code, in modules that also hold harmless names. */
const acting =
  /^(torch\.(load|save|compile|import_ir_module|from_file|frombuffer)|torch\.storage\._load_from_bytes|numpy\.(load|fromfile|memmap|genfromtxt|loadtxt|save|savez|tofile)|pathlib\..*\..*|uuid\._\w+|functools\.(reduce|partialmethod|singledispatch.*)|collections\.(namedtuple|UserDict.*)|copyreg\.(add_extension|dispatch_table|constructor)|copy\.(copy|deepcopy))$/;

/** The builtins of Python that only make values. */
const plainBuiltins =
  /^builtins\.(set|frozenset|complex|bytearray|bytes|dict|list|tuple|int|long|float|bool|str|unicode|object|slice|range|NoneType|Ellipsis|type)$/;

/** Harmless names in modules whose other names run code. */
const harmless =
  /^(torch\.serialization\._get_layout|_?io\.BytesIO|types\.SimpleNamespace|torch\._C\._nn\.\w+|torch\.jit\._pickle\.(build_(int|double|bool|tensor)list|restore_type_tag))$/;

/** Whether the name runs code when it is called. */
export function isActing({ module, name }: PickleGlobal): boolean {
  if (harmless.test(name)) return false;
  if (module === 'builtins') return !plainBuiltins.test(name);
  // `os.path` counts as `os` does. A pickle can also put part of the module into the attribute: 'torch', 'hub.load'.
  const parts = name.split('.', deepest + 1);
  return acting.test(name) || parts.some((_, i) => actingModules.has(parts.slice(0, i).join('.')));
}

/** Whether the name is part of checkpoints. */
export function isKnown({ name }: PickleGlobal): boolean {
  return isPlainName(name) || isTensorFunction(name);
}

/** Throws if any name in the pickle runs code. */
export function refuseActing(root: PickleValue, globals: readonly PickleGlobal[]): void {
  const found = globals.find(isActing);
  if (found) throw asksFor(pathTo(root, found), found.name);
}

/** Throws if any name is not part of checkpoints. For files in which no weights were found. */
export function refuseUnknown(root: PickleValue, globals: readonly PickleGlobal[]): void {
  const found = globals.find((global) => !isKnown(global));
  if (found) throw asksFor(pathTo(root, found), found.name);
}

/** Returns the error for an unknown name in the dict that was asked for. */
export function asksFor(path: string, name: string) {
  return unsafeError(
    `${path} asks for ${name}. Only tensors and plain values are read, and nothing a file names is ever run. ` +
      'If you trust the file, save its weights alone with Python: torch.save(model.state_dict(), "weights.pth")',
  );
}

interface Place {
  value: PickleValue;
  path: string;
}

/** Finds the path to a value. No recursion, and each value once: hostile trees are large, deep and have cycles. */
function pathTo(root: PickleValue, wanted: PickleValue): string {
  const seen = new Set<PickleValue>([root]);
  const places: Place[] = [{ value: root, path: '' }];
  for (let place = places.pop(); place; place = places.pop()) {
    if (place.value === wanted) return place.path || 'The whole file';
    for (const [inner, key] of insides(place.value)) {
      if (seen.size > maxSearchedValues) return 'Something in the file';
      if (typeof inner !== 'object' || inner === null || seen.has(inner)) continue;
      seen.add(inner);
      places.push({ value: inner, path: key === undefined ? place.path : extend(place.path, key) });
    }
  }
  return 'Something outside the stored value';
}

/** Yields the values in a container, with their keys if they have any. */
function* insides(value: PickleValue): Generator<[inner: PickleValue | undefined, key?: PickleValue]> {
  if (value instanceof PickleDict) {
    for (const [key, item] of value.entries) {
      yield [item, key];
      yield [key];
    }
    yield [value.attributes];
  } else if (Array.isArray(value)) for (let i = 0; i < value.length; i++) yield [value[i], i];
  else if (value instanceof PickleTuple || value instanceof PickleSet) for (const item of value.items) yield [item];
  else if (value instanceof PickleReference) yield [value.id];
  else if (value instanceof PickleCall) {
    yield [value.callee];
    yield [value.args];
    yield [value.state];
    for (const item of value.items) yield [item];
    for (const [key, item] of value.entries) {
      yield [key];
      yield [item];
    }
  }
}

const maxPathLength = 500;

function extend(path: string, key: PickleValue): string {
  return path.length > maxPathLength ? path : path + step(key);
}
