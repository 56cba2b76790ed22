// Tests pickles that loadState must refuse: damaged ones, those that exhaust a resource, and those that name code.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { loadState } from 'torch-incremental';
import { temporaryFolder } from '../support.mjs';
import { call, checkpoint, join, p, pickle, refused, tensor, u8, u32, u64 } from './checkpoint-support.mjs';

/** By description: the file, and a pattern of the message. */
const cases = {
  'an empty pickle': [checkpoint(''), /it is cut/],
  'a pickle of protocol 0': [checkpoint('(dp0\n.'), /protocol 2 to 5/],
  'a pickle of protocol 6': [checkpoint(join(p.proto(6), p.none, p.stop)), /protocol 6/],
  'a pickle without an end': [checkpoint(pickle().subarray(0, -1)), /it is cut/],
  'bytes after the end of the pickle': [checkpoint(join(pickle(), 'N.')), /2 bytes follow its end/],
  'a pickle of two values': [checkpoint(join(p.proto(), p.none, p.none, p.stop)), /ends with 2 values/],
  'a pickle of nothing': [checkpoint(join(p.proto(), p.stop)), /ends with 0 values/],
  'an open mark at the end': [checkpoint(join(p.proto(), p.emptyDict, p.mark, p.stop)), /ends with 1 values/],
  'an instruction that takes too much': [checkpoint(join(p.proto(), p.reduce, p.stop)), /more values than there are/],
  'an instruction that takes what is below a mark': [
    checkpoint(join(p.proto(), p.emptyList, p.mark, p.append, p.stop)),
    /more values than there are/,
  ],
  'a group that was not begun': [checkpoint(join(p.proto(), p.tuple, p.stop)), /never began/],
  'a key without a value': [checkpoint(pickle(null, [p.text('weight')])), /a key has no value/],
  'an instruction to import by number': [
    checkpoint(join(p.proto(), u8(0x82), u8(1), p.stop)),
    /instruction 0x82/,
    'ERR_STATE_UNSAFE',
  ],
  'an instruction of protocol 0 that makes an object': [
    checkpoint(join(p.proto(), p.mark, 'ios\nsystem\n', p.stop)),
    /asks for os\.system.* instruction 0x69/,
    'ERR_STATE_UNSAFE',
  ],
  'a memo that does not exist': [checkpoint(join(p.proto(), p.get(7), p.stop)), /value 7 is used before/],
  'a memo at the largest number': [
    checkpoint(join(p.proto(), p.none, p.put(0xffffffff), p.get(0xfffffffe), p.stop)),
    /value 4294967295 cannot have that number/,
  ],
  'a string longer than the pickle': [checkpoint(join(p.proto(), 'X', u32(500_000), p.stop)), /it is cut/],
  'a string of gigabytes': [checkpoint(join(p.proto(), 'X', u32(0xfffffff0), p.stop)), /too long/],
  'a string that is not UTF-8': [checkpoint(join(p.proto(), 'X', u32(1), [0xff], p.stop)), /not valid UTF-8/],
  'a frame longer than the pickle': [checkpoint(join(p.proto(4), [0x95], u64(2n ** 60n), p.stop)), /a frame is longer/],
  'items put into a tensor': [
    checkpoint(pickle([tensor(), p.int(0), p.int(0), p.setItem])),
    /\["weight"\] is not a valid tensor/,
  ],
  'a state given to a tensor': [
    checkpoint(pickle([tensor(), p.emptyDict, p.build])),
    /\["weight"\] is not a valid tensor/,
  ],
  'items put into a number': [
    checkpoint(join(p.proto(), p.int(1), p.int(0), p.int(0), p.setItem, p.stop)),
    /cannot take items/,
  ],
  'a state given to a list': [
    checkpoint(join(p.proto(), p.emptyList, p.none, p.build, p.stop)),
    /cannot take the state/,
  ],
  'the same key twice': [
    checkpoint(pickle(null, [p.text('__proto__'), tensor(), p.text('__proto__'), tensor()])),
    /"__proto__" twice/,
  ],
  'a list that holds itself': [
    checkpoint(join(p.proto(), p.emptyList, p.put(0), p.get(0), p.append, p.stop)),
    /found a list of 1/,
  ],
  'tuples 200,000 deep': [
    checkpoint(join(p.proto(), p.emptyTuple, Buffer.alloc(200_000, 0x85), p.stop)),
    /found a tuple of 1/,
  ],
  'tuples 200,000 deep for a tensor': [
    checkpoint(pickle([p.emptyTuple, Buffer.alloc(200_000, 0x85)])),
    /\["weight"\] is a tuple/,
  ],
  'parameters 1,000 deep': [
    checkpoint(
      pickle([
        Array(1000).fill([p.global('torch._utils', '_rebuild_parameter'), p.mark]),
        tensor(),
        Array(1000).fill([p.false, p.none, p.tuple, p.reduce]),
      ]),
    ),
    /Expected a tensor for \["weight"\]/,
  ],
};

const unsafe = {
  'os.system for a tensor': [pickle(call('os', 'system', p.text('touch owned'))), /\["weight"\] asks for os\.system/],
  'posix.system at the root': [
    join(p.proto(), call('posix', 'system', p.text('true')), p.stop),
    /The whole file asks for posix\.system/,
  ],
  'eval in an argument of a tensor': [
    pickle(tensor({ rest: [p.false, call('builtins', 'eval', p.text('1'))] })),
    /builtins\.eval/,
  ],
  'an object made with NEWOBJ and BUILD': [
    pickle([p.global('subprocess', 'Popen'), p.emptyTuple, p.newobj, p.emptyDict, p.build]),
    /\["weight"\] asks for subprocess\.Popen/,
  ],
  'a function by its global alone': [pickle(p.global('builtins', 'exec')), /builtins\.exec/],
  'a whole pickled model': [
    join(p.proto(), p.global('__main__', 'Net'), p.emptyTuple, p.newobj, p.emptyDict, p.build, p.stop),
    /__main__\.Net/,
  ],
  'a deque that is appended to': [
    pickle([call('collections', 'deque'), p.mark, p.int(1), p.appends]),
    /collections\.deque/,
  ],
  'code deep inside a training checkpoint': [
    pickle(null, [p.text('args'), p.emptyList, call('argparse', 'Namespace'), p.append]),
    /\["args"\]\[the number 0\] asks for argparse\.Namespace/,
  ],
  'code in a storage': [pickle(tensor({ from: [call('os', 'getcwd'), p.persid] })), /os\.getcwd/],
  'code as a key': [pickle(null, [call('os', 'getcwd'), p.int(1)]), /os\.getcwd/],
  'code by STACK_GLOBAL': [join(p.proto(4), p.text('os'), p.text('system'), u8(0x93), p.stop), /os\.system/],
  'a name that looks like one of PyTorch': [
    pickle(call('torch._utils', '_rebuild_tensor_v2.__globals__')),
    /__globals__/,
  ],
  'torch.load itself': [pickle(call('torch', 'load', p.text('x'))), /torch\.load/],
};

describe('a pickle that loadState refuses', () => {
  const temporary = temporaryFolder();

  for (const [what, [content, message, code = 'ERR_STATE_FORMAT']] of Object.entries(cases)) {
    it(`is or has ${what}`, () => refused(temporary('bad.pth'), content, code, message));
  }

  for (const [what, [data, message]] of Object.entries(unsafe)) {
    it(`names ${what}, and nothing is run`, () =>
      refused(temporary('bad.pth'), checkpoint(data), 'ERR_STATE_UNSAFE', message));
  }

  it('has a pickle of 16 million instructions, which does not block the event loop', async () => {
    const file = temporary('long.pth');
    fs.writeFileSync(file, checkpoint(join(p.proto(), p.none, Buffer.alloc(17_000_000, 'q\0'), p.none, p.stop)));
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await assert.rejects(loadState(file), { code: 'ERR_STATE_FORMAT' });
    isOver = true;
    // 6 million are run, 20,000 in a turn of the event loop, and 16 million looked through, 50,000 in a turn.
    assert.ok(turns >= 600, `${turns} turns`);
  });
});
