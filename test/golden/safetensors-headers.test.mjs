// Headers of safetensors files that are odd but sound, and odd and refused: as the safetensors library of Python has it,
// which is asked where there is one.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { loadState } from 'torch-incremental';
import { needs, python, runPython, temporaryFolder } from '../support.mjs';

const fields = '"dtype":"F32","shape":[1],"data_offsets":[0,4]';
const weight = `"w":{${fields}}`;

/** Headers, with the metadata that the library gives; false where it refuses the file. */
const headers = [
  [`{"__metadata__":null,${weight}}`, {}],
  [`{"__metadata__":{},${weight}}`, {}],
  [`{${weight},"__metadata__":{"a":"b\\n"}}`, { a: 'b\n' }],
  [`{"__metadata__":{"a":1},${weight}}`, false],
  [`{"__metadata__":{"a":1.5},${weight}}`, false],
  [`{"__metadata__":{"a":null},${weight}}`, false],
  [`{"__metadata__":{"a":true},${weight}}`, false],
  [`{"__metadata__":{"a":["b"]},${weight}}`, false],
  [`{"__metadata__":{"a":{"b":"c"}},${weight}}`, false],
  [`{"__metadata__":[],${weight}}`, false],
  [`{"__metadata__":"a",${weight}}`, false],
  [`{"__metadata__":false,${weight}}`, false],
  [`{"__metadata__":null,"__metadata__":null,${weight}}`, false],
  [`{"w":{${fields},"x":null}}`, {}],
  [`{"w":{"x":true,${fields}}}`, {}],
  [`{"w":{${fields},"x":-1.5e3}}`, {}],
  [`{"w":{${fields},"x":99999999999999999999999}}`, {}],
  [`{"w":{${fields},"x":{"y":[null,{"z":0.5}]}}}`, {}],
  [`{"w":{${fields},"x":1e999}}`, false],
  [`{"w":{${fields},"x":nil}}`, false],
  [`{"v":null,${weight}}`, false],
  [`{"w":{"dtype":null,"shape":[1],"data_offsets":[0,4]}}`, false],
  [`{"w":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}`, false],
  [`{"w":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}`, false],
  [`{"w":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}`, false],
];

function fileOf(header) {
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(4)]);
}

describe('the header of a safetensors file', () => {
  const temporary = temporaryFolder();
  const hasLibrary = python && spawnSync(python, ['-c', 'import safetensors']).status === 0;

  for (const [header, metadata] of headers) {
    it(`${metadata ? 'is read' : 'is refused'}, as by the safetensors library: ${header}`, async () => {
      fs.writeFileSync(temporary('a.safetensors'), fileOf(header));
      const load = loadState(temporary('a.safetensors'));
      if (!metadata) return assert.rejects(load, { code: 'ERR_STATE_FORMAT' });
      const state = await load;
      assert.deepEqual([state.names, Object.fromEntries(state.metadata)], [['w'], metadata]);
    });
  }

  it('is read and refused so by the library itself', async function () {
    needs(this, 'TORCH_INCREMENTAL_PYTHON');
    if (!hasLibrary) this.skip();
    const script = `
import json, sys
from safetensors import SafetensorError, safe_open
answers = []
for name in json.load(sys.stdin):
    try:
        with safe_open(name, "pt") as file:
            assert list(file.keys()) == ["w"]
            answers.append(file.metadata() or {})
    except SafetensorError:
        answers.append(False)
print(json.dumps(answers))
`;
    fs.writeFileSync(temporary('ask.py'), script);
    const names = headers.map(([header], i) => {
      fs.writeFileSync(temporary(`${i}.safetensors`), fileOf(header));
      return temporary(`${i}.safetensors`);
    });
    const answers = runPython(temporary('ask.py'), [], { input: JSON.stringify(names) });
    assert.deepEqual(
      JSON.parse(answers),
      headers.map(([, metadata]) => metadata),
    );
  });
});
