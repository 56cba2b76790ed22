// UTF-8 as Python's pickles have it: with halves of surrogate pairs, which the codec's "surrogatepass" lets through and
// which strings of Python and of JavaScript can hold. For pickle-bytes.ts and pickler.ts.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A half of a pair takes three bytes: 0xED, then one from 0xA0 on, then any of the form 10xxxxxx. */
const isHalf = (bytes: Uint8Array, at: number) =>
  bytes[at] === 0xed && bytes[at + 1]! >= 0xa0 && bytes[at + 1]! <= 0xbf && (bytes[at + 2]! & 0xc0) === 0x80;

/**
 * undefined for bytes that are no text. Also where a second half follows a first one: two characters in Python, which a
 * string of JavaScript cannot tell from the one character that the pair stands for.
 */
export function decoded(bytes: Uint8Array): string | undefined {
  try {
    let text = '';
    let begun = 0;
    for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
      if (!isHalf(bytes, at)) continue;
      text += utf8.decode(bytes.subarray(begun, at));
      text += String.fromCharCode(0xd000 | ((bytes[at + 1]! & 0x3f) << 6) | (bytes[at + 2]! & 0x3f));
      begun = at + 3;
      if (bytes[at + 1]! < 0xb0 && isHalf(bytes, begun) && bytes[begun + 1]! >= 0xb0) return undefined;
    }
    return text + utf8.decode(bytes.subarray(begun));
  } catch {
    return undefined;
  }
}

/** The same bytes again. */
export function encoded(text: string): Uint8Array {
  if (isUnicode(text)) return Buffer.from(text, 'utf8');
  const parts = text.split(/(\p{Surrogate})/u).map((part) => {
    const code = part.charCodeAt(0);
    if (part.length !== 1 || code < 0xd800 || code > 0xdfff) return Buffer.from(part, 'utf8');
    return Uint8Array.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  });
  return Buffer.concat(parts);
}

/** Whether every half of a pair in the text has its other half. */
export function isUnicode(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
