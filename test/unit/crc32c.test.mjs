import assert from 'node:assert/strict';
import native from '../../dist/native/native.js';

const { crc32c } = native.native();

describe('crc32c', () => {
  const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
  // RFC 3720, appendix B.4, but for the last two.
  const vectors = [
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones of eight bits', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['the numbers from 0 to 31', counting, 0x46dd794e],
    ['the numbers from 31 to 0', counting.slice().reverse(), 0x113fdb5c],
    [
      'an iSCSI read command',
      Buffer.from(
        '01c0000000000000000000000000000014000000000004000000001400000018280000000000000002000000000000 00'.replace(
          ' ',
          '',
        ),
        'hex',
      ),
      0xd9963a56,
    ],
    ["'123456789'", Buffer.from('123456789'), 0xe3069283],
    ['nothing', new Uint8Array(), 0],
  ];
  for (const [name, bytes, expected] of vectors) {
    it(`of ${name} is ${expected.toString(16)}`, () => assert.equal(crc32c([bytes]), expected));
  }

  it('of bytes in parts is that of the whole, wherever they are parted and lie', () => {
    const bytes = Uint8Array.from({ length: 70 }, (_, i) => (i * 37) % 251);
    const expected = crc32c([bytes]);
    for (let cut = 0; cut <= bytes.length; cut++) {
      assert.equal(crc32c([bytes.subarray(0, cut), bytes.subarray(cut)]), expected);
      // At another address, of another alignment.
      const moved = new Uint8Array(bytes.length + cut);
      moved.set(bytes, cut);
      assert.equal(crc32c([moved.subarray(cut)]), expected);
    }
  });

  it('takes an array of Uint8Arrays and nothing else', () => {
    for (const wrong of [undefined, new Uint8Array(4), ['text'], [new Float32Array(1)], [new ArrayBuffer(4)]]) {
      assert.throws(() => crc32c(wrong), { code: 'ERR_INVALID_OPTION' });
    }
  });
});
