// Makes text from files, folders and other processes safe to print: a terminal interprets none of it, and the reader sees all
// of it.

/**
 * Characters that a terminal interprets, reorders or does not show: control characters, line separators, marks of direction,
 * zero-width spaces, tags, and unpaired surrogates.
 */
const obeyed =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are searched for
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** Replaces each of them by \uXXXX, as JSON does, so that JSON keeps its meaning. */
export function printable(text: string): string {
  return text.replace(obeyed, escaped);
}

/** As printable(), for text of several lines. */
export function printableLines(text: string): string {
  return text.replace(obeyed, (found) => (found === '\n' || found === '\t' ? found : escaped(found)));
}

function escaped(found: string): string {
  let units = '';
  for (let i = 0; i < found.length; i++) units += `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return units;
}

/** Returns the start of a text that may be long, made printable. */
export function shortened(text: string, most: number): string {
  return printable(text.length > most ? `${text.slice(0, most)}…` : text);
}
