// Converts the UTF-8 of Python's pickles, which may contain unpaired surrogates: the codec's "surrogatepass" allows them, and
// strings of Python and of JavaScript can hold them. For bytes.ts and pickler.ts.

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A surrogate takes three bytes: 0xED, one of 0xA0 to 0xBF, and any of the form 10xxxxxx. */
const isHalf = (bytes: Uint8Array, at: number) =>
  bytes[at] === 0xed && bytes[at + 1]! >= 0xa0 && bytes[at + 1]! <= 0xbf && (bytes[at + 2]! & 0xc0) === 0x80;

/**
 * Returns undefined for bytes that are not text, and for a high surrogate followed by a low one: these are two characters in
 * Python, but in JavaScript they would be the one character that the pair encodes.
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

/** The inverse of decoded(). */
export function encoded(text: string): Uint8Array {
  if (isUnicode(text)) return Buffer.from(text, 'utf8');
  const parts = text.split(/(\p{Surrogate})/u).map((part) => {
    const code = part.charCodeAt(0);
    if (part.length !== 1 || code < 0xd800 || code > 0xdfff) return Buffer.from(part, 'utf8');
    return Uint8Array.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  });
  return Buffer.concat(parts);
}

/** Whether the text contains no unpaired surrogate. */
export function isUnicode(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
