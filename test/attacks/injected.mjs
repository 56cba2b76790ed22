// Makes damaged pickles with code, which Python runs nevertheless, up to the damage.
import { call, checkpoint, join, p, pickle, records, zip } from '../unit/checkpoint-support.mjs';
import { legacy, legacyTensor, pickled } from './build.mjs';

const body = pickle().subarray(2);
const legacyBody = pickle(legacyTensor()).subarray(2);
const code = call('__builtin__', 'eval', p.text("open('canary','w')"));
const unknown = call('__main__', 'Loader', p.text('x'));
const text = p.text('x');
const after = (...parts) => checkpoint(join(p.proto(), ...parts, body));
const stream = (...parts) => legacy({ object: join(p.proto(), ...parts, legacyBody) });
const unsafe = (content, words = /asks for builtins\.eval/) => [content, words, 'ERR_STATE_UNSAFE'];
const protocol0 = 'c__builtin__\neval\n(S\'open("canary","w")\'\ntR.';
const withWrongChecksum = (data) =>
  zip(records(data).map(([name, bytes], i) => [name, bytes, i === 0 ? { crc: 7 } : {}]));

export const hostile = {
  'code whose result is dropped': unsafe(after(code, '0')),
  'code whose result is dropped with a mark': unsafe(after(p.mark, code, '1')),
  'code whose result is left on the stack': unsafe(after(code)),
  'code whose result is duplicated': unsafe(after(code, '2', '0', '0')),
  'code by INST': unsafe(after(p.mark, text, 'i__builtin__\neval\n', '0')),
  'code by OBJ': unsafe(after(p.mark, p.global('__builtin__', 'eval'), text, 'o', '0')),
  'code by a number of copyreg': unsafe(after([0x82, 1]), /asks for what EXT1 names/),
  'code after the end': unsafe(checkpoint(join(pickle(), p.proto(), code, p.stop))),
  'code alone in protocol 0': unsafe(checkpoint(protocol0)),
  'code before the truncation': unsafe(checkpoint(join(p.proto(), code, '0', body.subarray(0, 20)))),
  'code in front of an unknown instruction': unsafe(after(code, [0xff])),
  'code in front of an instruction that takes too much': unsafe(after(code, p.reduce, p.reduce)),
  'code in front of a text that is too long': unsafe(after(code, '0', 'X', Buffer.alloc(4, 0x7f))),
  'code in front of millions of values': unsafe(
    checkpoint(join(p.proto(), code, Buffer.alloc(5_000_000, 'N'), p.stop)),
  ),
  'code after millions of values': unsafe(checkpoint(join(p.proto(), Buffer.alloc(5_000_000, 'N'), code, p.stop))),
  'code in a pickle of a wrong checksum': unsafe(withWrongChecksum(pickle(code))),
  'code by STACK_GLOBAL whose result is dropped': unsafe(
    after(p.text('builtins'), p.text('eval'), p.stackGlobal, p.text('1'), p.tuple1, p.reduce, '0'),
  ),
  'code by STACK_GLOBAL, its names from the memo': unsafe(
    after(
      [p.text('eval'), p.put(70), '0', p.text('builtins'), p.put(71), '0'],
      [p.get(71), p.get(70), p.stackGlobal, p.emptyTuple, p.reduce, '0'],
    ),
  ),
  'code by a name that cannot be determined': unsafe(
    after([p.text('builtins'), p.emptyList, p.text('eval'), p.append, p.stackGlobal, '0']),
    /asks for what STACK_GLOBAL names/,
  ),
  'an unknown function whose result is dropped': unsafe(after(unknown, '0'), /asks for __main__\.Loader/),
  'an unknown function whose result is left on the stack': unsafe(after(unknown), /asks for __main__\.Loader/),
  'code and an unknown function': unsafe(after(unknown, '0', code, '0'), /asks for builtins\.eval, __main__\.Loader/),
  'code whose result is dropped, in a legacy stream': unsafe(stream(code, '0')),
  'code whose result is left on the stack, in a legacy stream': unsafe(stream(code)),
  'code after the storages of a legacy stream': unsafe(join(legacy(), p.proto(), code, p.stop)),
  'code in a legacy stream that is cut': unsafe(stream(code, '0').subarray(0, 250)),
  'code in a pickle that torch.save did not make': unsafe(pickled(code)),
  'code in a file of protocol 0': unsafe(Buffer.from(protocol0)),

  'an unknown class in a pickle that is cut': [
    legacy({ object: pickle(null, [text, unknown, p.text('weight'), legacyTensor()]) }).subarray(0, 280),
    /it is cut/,
  ],
};
