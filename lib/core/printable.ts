// Text that comes from files, folders and other processes, as text: a terminal obeys none of it, and a reader sees all of it.

/**
 * What a terminal obeys, shows in another order, or does not show: control characters, line separators, marks of direction,
 * blanks of no width, tags, and halves of surrogate pairs.
 */
const obeyed =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/** `text` with \uXXXX for each of them, as JSON has it: so JSON stays the same JSON. */
export function printable(text: string): string {
  return text.replace(obeyed, escaped);
}

/** The same, for text of several lines. */
export function printableLines(text: string): string {
  return text.replace(obeyed, (found) => (found === '\n' || found === '\t' ? found : escaped(found)));
}

function escaped(found: string): string {
  let units = '';
  for (let i = 0; i < found.length; i++) units += `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return units;
}

/** The start of a text that may be long, printable. */
export function shortened(text: string, most: number): string {
  return printable(text.length > most ? `${text.slice(0, most)}…` : text);
}
