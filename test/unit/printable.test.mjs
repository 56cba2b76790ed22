import assert from 'node:assert/strict';
import { printable, printableLines, shortened } from '../../dist/core/printable.js';

describe('text that is printed', () => {
  it('holds nothing that a terminal obeys', () => {
    assert.equal(printable('a\x1b]0;owned\x07\x9b2J\x7fb'), 'a\\u001b]0;owned\\u0007\\u009b2J\\u007fb');
    assert.equal(printable('a\r\nb\tc\0'), 'a\\u000d\\u000ab\\u0009c\\u0000');
  });

  it('shows what would turn its order round or hide in it', () => {
    assert.equal(printable('a\u202eb\u2066c\u2069'), 'a\\u202eb\\u2066c\\u2069');
    assert.equal(printable('a\u200bb\ufeffc\u2028d\u061ce'), 'a\\u200bb\\ufeffc\\u2028d\\u061ce');
    assert.equal(printable('a\u{e0041}b'), 'a\\udb40\\udc41b');
    assert.equal(printable('a\ud800b'), 'a\\ud800b');
  });

  it('is what it was otherwise, in any script', () => {
    for (const text of ['fc.weight', 'größe', '重み', 'שלום', 'السلام', '👩‍💻 🇪🇺', '│├ ✓ →'])
      assert.equal(printable(text), text);
  });

  it('keeps its lines where it has several', () => {
    assert.equal(printableLines('a\n\tb\x1b[1mc\r'), 'a\n\tb\\u001b[1mc\\u000d');
  });

  it('is cut where it is long', () => {
    assert.equal(shortened('abc', 3), 'abc');
    assert.equal(shortened('ab\x1bd', 3), 'ab\\u001b…');
  });

  it('is the same JSON', () => {
    const value = { 'k\x9b\u202e': ['\u2028', '\x7f', '\x1b', '\u{e0001}'] };
    assert.deepEqual(JSON.parse(printable(JSON.stringify(value))), value);
  });
});
