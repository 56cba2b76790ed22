// Makes pickles that name code, which an unsafe loader would run. Each would leave a file named `canary` in the current folder,
// which the test looks for. Known ways to run code are refused everywhere, unknown names only among the weights.
import { call, checkpoint, join, p, pickle, storage, tensor, tupleOf } from '../unit/checkpoint-support.mjs';
import { dict, list, pickled, training } from './build.mjs';

const touch = p.text('touch canary');
const python = p.text("open('canary', 'w')");

/** Ways to run code from a pickle: module, name, arguments. */
const dangerous = [
  ['os', 'system', touch],
  ['posix', 'system', touch],
  ['nt', 'system', touch],
  ['os', 'popen', touch],
  ['os', 'execv', p.text('/bin/touch'), list(p.text('touch'), p.text('canary'))],
  ['os', 'putenv', p.text('LD_PRELOAD'), p.text('canary')],
  ['subprocess', 'Popen', touch],
  ['subprocess', 'check_output', list(p.text('touch'), p.text('canary'))],
  ['subprocess', 'run', list(p.text('touch'), p.text('canary'))],
  ['builtins', 'eval', python],
  ['builtins', 'exec', python],
  ['builtins', 'compile', python, p.text('x'), p.text('exec')],
  ['builtins', '__import__', p.text('os')],
  ['builtins', 'getattr', p.global('os', 'path'), p.text('join')],
  ['builtins', 'open', p.text('canary'), p.text('w')],
  ['builtins', 'breakpoint'],
  ['__builtin__', 'eval', python],
  ['__builtin__', 'execfile', p.text('canary.py')],
  ['importlib', 'import_module', p.text('os')],
  ['importlib.util', 'spec_from_file_location', p.text('x'), p.text('canary.py')],
  ['runpy', 'run_path', p.text('canary.py')],
  ['runpy', '_run_code', python, p.emptyDict],
  ['pty', 'spawn', list(p.text('touch'), p.text('canary'))],
  ['socket', 'create_connection', tupleOf([p.text('127.0.0.1'), p.int(9)])],
  ['shutil', 'rmtree', p.text('canary')],
  ['ctypes', 'CDLL', p.text('libc.so.6')],
  ['code', 'interact'],
  ['pickle', 'loads', p.text('cos\nsystem\n.')],
  ['marshal', 'loads', p.text('')],
  ['pip', 'main', list(p.text('install'), p.text('canary'))],
  ['operator', 'attrgetter', p.text('system')],
  ['operator', 'methodcaller', p.text('system'), touch],
  ['functools', 'partial', p.global('os', 'system'), touch],
  ['torch', 'load', p.text('other.pth')],
  ['torch.hub', 'load', p.text('a/b'), p.text('c')],
  ['torch.hub', 'load_state_dict_from_url', p.text('http://127.0.0.1:9/x.pth')],
  ['torch.jit', 'load', p.text('other.pt')],
  ['torch.serialization', 'load', p.text('other.pth')],
  ['numpy', 'load', p.text('other.npy')],
  ['numpy.testing._private.utils', 'runstring', python, p.emptyDict],
  ['webbrowser', 'open', p.text('http://127.0.0.1:9')],
  ['timeit', 'timeit', python],
  ['cProfile', 'run', python],
  ['pydoc', 'pipepager', p.text('x'), touch],
  ['pydoc', 'locate', p.text('os.system')],
  ['uuid', '_get_command_stdout', p.text('touch'), p.text('canary')],
  ['test.support.script_helper', 'assert_python_ok', p.text('-c'), python],
  ['bdb', 'Bdb'],
  ['zipfile', 'main', list(p.text('-e'), p.text('a.zip'), p.text('.'))],
  ['compileall', 'compile_dir', p.text('.')],
];

/** Names that are not known to run code; in place of weights they are refused because their effect is unknown. */
const unknown = [
  ['__main__', 'Net'],
  ['argparse', 'Namespace'],
  ['collections', 'deque'],
  ['torch.nn.modules.linear', 'Linear'],
  ['torch._utils', '_rebuild_tensor_v2.__globals__'],
  ['torch._utils', '_rebuild_tensor_v2_'],
  ['torch._utils.', '_rebuild_tensor_v2'],
  ['torch', '_utils._rebuild_tensor_v2 '],
  ['Torch._utils', '_rebuild_tensor_v2'],
  ['', ''],
];

/** Modules of Python 2 are reported by their current names, functools.partial by the function it would call. */
const current = { __builtin__: 'builtins', 'functools.partial': 'os.system' };
const named = ([module, name]) => current[`${module}.${name}`] ?? `${current[module] ?? module}.${name}`;
const unsafe = (words, content) => [content, words, 'ERR_STATE_UNSAFE'];
const words = (name) => new RegExp(name.replace(/[.^$*+?()[\]{}|\\]/g, '\\$&'));
const entries = (rows, label, make) =>
  Object.fromEntries(rows.map((row) => [`${label} ${row[0]}.${row[1]}`, unsafe(words(named(row)), make(row))]));

export const hostile = {
  ...entries(dangerous, 'in place of a tensor:', (row) => checkpoint(pickle(call(...row)))),
  ...entries(dangerous, 'beside the weights:', (row) => checkpoint(training(call(...row)))),
  ...entries(unknown, 'unknown, in place of a tensor:', (row) => checkpoint(pickle(call(...row)))),

  'code for the whole file': unsafe(/posix\.system/, checkpoint(pickled(call('posix', 'system', touch)))),
  'code in an argument of a tensor': unsafe(
    /builtins\.eval/,
    checkpoint(pickle(tensor({ rest: [p.false, call('builtins', 'eval', python)] }))),
  ),
  'code in the shape of a tensor': unsafe(
    /builtins\.eval/,
    checkpoint(pickle(tensor({ shape: [], stride: [], offset: 0, from: [call('builtins', 'eval', python)] }))),
  ),
  'code in a storage': unsafe(
    /os\.system/,
    checkpoint(pickle(tensor({ from: [call('os', 'system', touch), p.persid] }))),
  ),
  'code as the type of a storage': unsafe(
    /os\.system/,
    checkpoint(pickle(tensor({ from: storage({ type: 'os system' }) }))),
  ),
  'code as a dtype': unsafe(
    /os\.system/,
    checkpoint(
      pickle(
        tensor({
          how: 'torch._utils _rebuild_tensor_v3',
          from: storage({ type: 'torch.storage UntypedStorage', numel: 16 }),
          rest: [p.false, p.none, p.global('os', 'system')],
        }),
      ),
    ),
  ),
  'code as a key': unsafe(/os\.system/, checkpoint(pickle(null, [call('os', 'system', touch), tensor()]))),
  'code in _metadata': unsafe(
    /os\.system/,
    checkpoint(
      pickled(
        [call('collections', 'OrderedDict'), p.text('w'), tensor(), p.setItem],
        dict(p.text('_metadata'), dict(p.text(''), dict(p.text('version'), call('os', 'system', touch)))),
        p.build,
      ),
    ),
  ),
  'code by its name alone': unsafe(/builtins\.exec/, checkpoint(pickle(p.global('builtins', 'exec')))),
  'code by STACK_GLOBAL': unsafe(
    /os\.system/,
    checkpoint(join(p.proto(4), p.text('os'), p.text('system'), p.stackGlobal, tupleOf([touch]), p.reduce, p.stop)),
  ),
  'code by STACK_GLOBAL, its name from the memo': unsafe(
    /os\.system/,
    checkpoint(
      join(
        [p.proto(4), p.emptyList, p.text('system'), p.put(3), p.append],
        [p.text('os'), p.get(3), p.stackGlobal, tupleOf([touch]), p.reduce, p.append, p.stop],
      ),
    ),
  ),
  'code by NEWOBJ': unsafe(
    /subprocess\.Popen/,
    checkpoint(pickle([p.global('subprocess', 'Popen'), tupleOf([touch]), p.newobj])),
  ),
  'code by BUILD': unsafe(
    /subprocess\.Popen/,
    checkpoint(pickle([p.global('subprocess', 'Popen'), p.emptyTuple, p.newobj, dict(p.text('args'), touch), p.build])),
  ),
  'code that takes a whole tensor': unsafe(/builtins\.exec/, checkpoint(pickle(call('builtins', 'exec', tensor())))),
  'code as the function of a parameter': unsafe(
    /os\.system/,
    checkpoint(
      pickle(
        call(
          'torch._tensor',
          '_rebuild_from_type_v2',
          p.global('os', 'system'),
          p.global('torch', 'Tensor'),
          tupleOf([touch]),
          p.none,
        ),
      ),
    ),
  ),
  'an unknown class of tensors': [
    checkpoint(
      pickle(
        call(
          'torch._tensor',
          '_rebuild_from_type_v2',
          p.global('torch._utils', '_rebuild_parameter'),
          p.global('__main__', 'Tensor'),
          tupleOf([tensor(), p.true, p.none]),
          p.none,
        ),
      ),
    ),
    /class __main__\.Tensor/,
  ],
  'code in a list beside a tensor': unsafe(
    /os\.system/,
    checkpoint(pickle(null, [p.text('a'), list(call('os', 'system', touch)), p.text('weight'), tensor()])),
  ),
  'code with escape sequences in its name': [
    checkpoint(pickle(call('os\x1b[2J\x9b31m', 'system', touch))),
    /os/,
    'ERR_STATE_UNSAFE',
  ],
  'a module in which code is found later': unsafe(
    /builtins\.getattr/,
    checkpoint(pickle(call('builtins', 'getattr', p.global('os', 'path'), p.text('os')))),
  ),
};

export const benign = {
  'an unknown class beside the weights': [
    checkpoint(training(call('argparse', 'Namespace'))),
    undefined,
    { options: { key: 'model' } },
  ],
  'an unknown class with a state beside the weights': [
    checkpoint(
      training([p.global('__main__', 'Config'), p.emptyTuple, p.newobj, dict(p.text('lr'), p.int(1)), p.build]),
    ),
  ],
  'an unknown class that items were put into': [
    checkpoint(training([call('collections', 'deque'), p.mark, p.int(1), p.int(2), p.appends])),
  ],
};
