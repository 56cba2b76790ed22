// Hostile archives: zips, notes, records, JSON and configs of tensors. Each is its bytes, the words of its error, and its code if that is
// not ERR_STATE_FORMAT.
import { join, p, u64, zip } from '../unit/checkpoint-support.mjs';
import { archive, pickledTensor } from './archives.mjs';
import { model, raw } from './descriptions.mjs';

const without = (pattern, options) =>
  archive(model(), { ...options, records: (all) => all.filter(([name]) => !pattern.test(name)) });
const replaced = (name, content, changes) =>
  archive(model(), { records: (all) => all.map((record) => (record[0] === name ? [name, content, changes] : record)) });
const added = (name, content = 'x', options = {}) =>
  archive(model(), { ...options, records: (all) => [...all, [name, content]] });
const renamed = (from, to) =>
  archive(model(), { records: (all) => all.map(([name, ...rest]) => [name === from ? to : name, ...rest]) });
const json = (content) => replaced('models/model.json', content);
const weight = (change, options) =>
  archive(model(), { ...options, weights: (config) => change(config['fc.weight'], config) });
const sized = (facts) => weight(({ tensor_meta: meta }) => Object.assign(meta, facts));
const int = (value) => ({ as_int: value });
const good = archive(model());
const unsafe = 'ERR_STATE_UNSAFE';
const script = (...more) => zip([['net/constants.pkl', ''], ['net/data.pkl', ''], ...more]);

export const archives = {
  'an empty file': ['', /not a zip archive/],
  'a text': ['hello', /not a zip archive/],
  'an ONNX model': [Buffer.from('080812077079746f726368', 'hex'), /an ONNX model; export the PyTorch module/],
  'a zip that is cut': [good.subarray(0, -30), /no directory at its end/],
  'a zip with junk after it': [join(good, 'junk'), /no directory at its end/],
  'a zip of something else': [zip([['x/word/document.xml', '']]), /holds word\/document\.xml/],
  'a flat zip of something else': [zip([['document.xml', '']]), /holds document\.xml/],
  'a checkpoint': [zip([['x/data.pkl', '']]), /is a checkpoint; load it with loadState/],
  'a TorchScript program': [script(), /TorchScript program.*torch\.export\.export.*Its weights alone/],
  'a TorchScript program by its code': [zip([['net/code/__torch__.py', '']]), /TorchScript program/],
  'an archive in two folders': [
    zip([
      ['a/archive_format', 'pt2'],
      ['b/models/model.json', '{}'],
    ]),
    /not in the one top folder/,
  ],
  'an archive that is flat and in a folder': [
    added('serialized_exported_program.json', '{}'),
    /readers would disagree/,
  ],
  'a record twice': [added('byteorder', 'big'), /byteorder occurs twice/],
  'a record in other case': [added('ARCHIVE_FORMAT', 'pt2'), /differs in case|occurs twice/],
  'a record that climbs out': [added('../x'), /unsafe name/],
  'native code': [added('data/aotinductor/model/model.so'), /AOTInductor.*native code.*export the module/, unsafe],
  'native code among weights': [added('data/weights/libnet.so'), /AOTInductor/, unsafe],
  'a package for ExecuTorch': [added('data/executorch/net.pte'), /ExecuTorch/],
  'a custom object': [added('data/constants/custom_obj_0'), /a custom object.*only the Python that pickled it/, unsafe],
  'an opaque object': [added('data/constants/opaque_obj_0'), /a custom object/, unsafe],
  'another format': [replaced('archive_format', 'pt3'), /Expected pt2 in archive_format but found "pt3"/],
  'another version': [replaced('archive_version', '1'), /Expected 0 in archive_version.*2\.8 to 2\.13/],
  'a long note': [replaced('archive_version', '0'.repeat(65)), /larger than 64/],
  'a big-endian archive': [replaced('byteorder', 'big'), /Expected little in byteorder.*little-endian machine/],
  'a wrong checksum of the program': [
    replaced('models/model.json', '{}', { crc: 1 }),
    /checksum of net\/models\/model\.json/,
  ],
  'no program': [without(/^models/), /no program|Expected a program/],
  'too many programs': [
    archive(model(), {
      records: (all) => [...all, ...Array.from({ length: 65 }, (_, i) => [`models/p${i}.json`, '{}'])],
    }),
    /more than 64 programs/,
  ],
  'a program with a name of 2,000 characters': [
    added(`models/${'n'.repeat(2000)}.json`),
    /name of a program is too long/,
  ],
  'weights in two forms': [added('data/weights/model.pt'), /holds the weights of the program model twice/],
  'no weights': [without(/weights/), /the weights of the archive hold no tensor "fc\.weight"/],
  'no constants': [without(/constants/), /the constants of the archive hold no tensor "table"/],
  'a missing record of a tensor': [without(/weight_1$/), /no record data\/weights\/weight_1/],
  'a record under another name': [
    renamed('data/weights/weight_0', 'data/weights/weight_9'),
    /no record data\/weights\/weight_0/,
  ],
};

export const texts = {
  'JSON that is cut': [
    json('{"graph_module": {'),
    /models\/model\.json is damaged: a key was expected but its end was found/,
  ],
  'JSON followed by more': [json('{} {}'), /something follows its end/],
  'JSON of a list': [json('[]'), /Expected an object but found a list of 0/],
  'no JSON at all': [json(Buffer.alloc(100)), /a value was expected/],
  'an empty JSON': [json(''), /a value was expected but its end was/],
  'a key twice': [json('{"verifiers": ["TRAINING"], "verifiers": ["ATEN"]}'), /the key "verifiers" occurs twice/],
  'a list that is never closed, a million deep': [json('['.repeat(1e6)), /nested deeper than 300/],
  'an object inside objects, a million deep': [json('{"a":'.repeat(1e6)), /nested deeper than 300/],
  'an integer of 65 bits': [json('{"a": 9223372036854775808}'), /9223372036854775808 has more than 64 bits/],
  'an integer of a million digits': [json(`[${'1'.repeat(1e6)}]`), /more than 400 digits/],
  'a float out of range': [json('[1e999]'), /out of range/],
  'a number that is none': [json('[01]'), /"01" is not a number/],
  'NaN without quotes': [json('[NaN]'), /a value was expected but "NaN/],
  'a comment': [json('[1, /* two */ 2]'), /a value was expected/],
  'a comma too many': [json('[1, ]'), /a value was expected/],
  'a string that is never closed': [json('["abc'), /a string does not end/],
  'a string that ends in an escape': [json('["abc\\'), /a string does not end/],
  'a string with a line break': [json('["a\nb"]'), /a control character/],
  'a string of two megabytes': [json(`["${'a'.repeat(2 ** 21)}"]`), /a string has more than 1048576 bytes/],
  'an escape that JSON does not have': [json('["\\x41"]'), /not valid Unicode/],
  'half a surrogate': [json('["\\ud800"]'), /not valid Unicode/],
  'bytes that are not UTF-8': [json(Buffer.from('["\xff"]', 'latin1')), /not valid Unicode/],
  'white space without end': [json(Buffer.alloc(2 ** 21, ' ')), /white space/],
  'millions of lists': [json(`[${'[],'.repeat(4e6)}[]]`), /take more than 268435456 bytes of memory/],
  'millions of keys': [json(`{${Array.from({ length: 3e6 }, (_, i) => `"${i}":{}`).join()}}`), /bytes of memory/],
  'a program of more than 64 MiB': [json(Buffer.alloc(2 ** 26 + 1, ' ')), /larger than 67108864/],
};

export const tensors = {
  'a pickled tensor': [
    weight((entry) => Object.assign(entry, { use_pickle: true })),
    /stored as a pickle of a tensor of its own class/,
  ],
  'a tensor in a custom object': [
    weight((entry) => Object.assign(entry, { path_name: 'custom_obj_0' })),
    /custom objects are not read/,
  ],
  'a tensor in the program': [
    weight((entry) => Object.assign(entry, { path_name: '../../models/model.json' })),
    /the name of a record/,
  ],
  'a tensor in the sample inputs': [
    weight((entry) => Object.assign(entry, { path_name: '../sample_inputs/model.pt' })),
    /the name of a record/,
  ],
  'a tensor larger than its record': [
    sized({ sizes: [int(2), int(4)], strides: [int(4), int(1)] }),
    /needs 8 elements.*which has 6/,
  ],
  'strides that leave the record': [sized({ strides: [int(6), int(1)] }), /needs 9 elements/],
  'an offset that leaves the record': [sized({ storage_offset: int(1) }), /needs 7 elements/],
  'sizes whose product is inexact': [
    sized({ sizes: [int(2 ** 40), int(2 ** 40)], strides: [int(0), int(0)] }),
    /needs Infinity elements/,
  ],
  'a size of 2**63 - 1': [
    sized({ sizes: [int(raw('9223372036854775807'))], strides: [int(1)] }),
    /an integer of 0 or more/,
  ],
  'a negative size': [sized({ sizes: [int(-2), int(3)] }), /an integer of 0 or more but found -2/],
  'a negative stride': [sized({ strides: [int(-3), int(1)] }), /an integer of 0 or more/],
  'a negative offset': [sized({ storage_offset: int(-1) }), /an integer of 0 or more/],
  'a size that is a float': [sized({ sizes: [int(raw('2.0')), int(3)] }), /found the number 2/],
  'a size that is a symbol': [sized({ sizes: [{ as_expr: { expr_str: 'x' } }, int(3)] }), /a key "as_int"/],
  'more strides than sizes': [sized({ strides: [int(3), int(1), int(1)] }), /2 sizes but 3 strides/],
  'more than 64 dimensions': [sized({ sizes: Array(65).fill(int(1)), strides: Array(65).fill(int(1)) }), /at most 64/],
  'an unknown dtype': [sized({ dtype: 14 }), /the number of a dtype but found 14/],
  'a dtype as a word': [sized({ dtype: 'float32' }), /the number of a dtype/],
  'a wider dtype than stored': [sized({ dtype: 8 }), /needs 6 elements.*which has 3/],
  'another dtype than the graph has': [sized({ dtype: 13 }), /Expected float32.*but bfloat16/],
  'another shape than the graph has': [
    sized({ sizes: [int(3), int(2)], strides: [int(2), int(1)] }),
    /but float32 of shape \[3,2\] is stored/,
  ],
  'a sparse tensor': [sized({ layout: 1 }), /layout sparse_coo is not supported/],
  'gradients of integers': [
    archive(model(), { weights: (config) => Object.assign(config['fc.count'].tensor_meta, { requires_grad: true }) }),
    /gradients but is of int64/,
  ],
  'a parameter that is a buffer': [
    weight((entry) => Object.assign(entry, { is_param: false })),
    /is a parameter of the program, but not so/,
  ],
  'weights that the program does not have': [
    weight((entry, config) => Object.assign(config, { other: entry })),
    /weights "other" that are no input/,
  ],
  'one tensor with and without gradients': [
    archive(
      model({
        tensors: { ...model().tensors, tied: { role: 'parameter', shape: [2, 3], shares: 'fc.weight', grad: false } },
      }),
    ),
    /one tensor with another that has gradients/,
  ],
  'a config without tensors': [replaced('data/weights/model_weights_config.json', '{}'), /a key "config"/],

  'weights that ask for code': [
    archive(model(), {
      form: 'pickled',
      pickle: { items: [p.text('fc.weight'), p.global('os', 'system'), p.mark, p.text('true'), p.tuple, p.reduce] },
    }),
    /os\.system/,
    unsafe,
  ],
  'weights that are numbers': [
    archive(model(), { form: 'flat', pickle: { items: [p.text('fc.weight'), p.int(1)] } }),
    /Expected tensors by their names in serialized_state_dict\.pt/,
  ],
  'weights without names': [
    archive(model(), { form: 'pickled', pickle: { items: [p.int(1), p.int(1)] } }),
    /Expected tensors by their names/,
  ],
  'weights that leave their storage': [
    archive(model(), {
      form: 'pickled',
      pickle: {
        items: [p.text('fc.weight'), pickledTensor({ role: 'parameter', shape: [2, 4] }, 0, [Buffer.alloc(24)])],
      },
    }),
    /needs 8 elements/,
  ],
  'weights that are no checkpoint': [
    archive(model(), {
      form: 'pickled',
      records: (all) => all.map(([name, data]) => [name, /weights/.test(name) ? 'PK' : data]),
    }),
    /of no known kind|not.*checkpoint/,
  ],
  'weights that are a safetensors file': [
    archive(model(), {
      form: 'pickled',
      records: (all) => all.map(([name, data]) => [name, /weights/.test(name) ? join(u64(2), '{}') : data]),
    }),
    /a zip file of torch\.save in data\/weights\/model\.pt but found the format safetensors/,
  ],
  'weights that are one number': [
    archive(model(), { form: 'flat', pickle: { content: p.int(1) } }),
    /Expected a dict of tensors in serialized_state_dict\.pt but found the number 1/,
  ],
  'weights of a big-endian machine': [
    archive(model(), { form: 'pickled', pickle: { byteorder: 'big' } }),
    /saved on a big-endian machine/,
  ],
  'weights that are a checkpoint inside a checkpoint': [
    archive(model(), {
      form: 'flat',
      records: (all) => all.map(([name, data]) => [name, /state_dict/.test(name) ? archive(model()) : data]),
    }),
    /an exported program/,
  ],
  'compressed weights of torch.save': [
    archive(model(), {
      form: 'pickled',
      records: (all) =>
        all.map(([name, data]) =>
          /weights/.test(name)
            ? [name, data.subarray(0, 9), { method: 8, localMethod: 8, size: data.length, stored: 9 }]
            : [name, data],
        ),
    }),
    /is compressed; unpack the archive/,
  ],
};
