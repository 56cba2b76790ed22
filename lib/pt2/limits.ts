// Limits of what an exported program may contain. The largest of 137 published models stays far below them; archives made to
// exhaust memory or time do not. Each is checked before anything is allocated, or while parsing.

/** Size of a JSON record. The largest seen has 2.1 MB, for 758 nodes. */
export const maxJsonBytes = 64 * 2 ** 20;
/**
 * Memory for the values of one JSON record, by the costs of exact-json.ts: about six times the text of a real program. It also limits the
 * number of nodes, of which the largest program seen has 900, to some 300,000.
 */
export const maxJsonMemory = 256 * 2 ** 20;
/** Depth of the JSON: eight levels for each graph inside a graph. */
export const maxJsonDepth = 300;
/** Length of a string in it, such as a stack trace or the specification of the inputs. */
export const maxJsonString = 2 ** 20;
/** Digits of a number in it. */
export const maxJsonDigits = 400;
/** Bytes of JSON that are parsed before the clock is asked whether other work is due. */
export const jsonBytesPerPiece = 2 ** 13;
/** Length of the name of a value, parameter, operator or argument. */
export const maxNameLength = 1024;
/** Graphs inside graphs. The deepest seen has 2. */
export const maxGraphDepth = 32;
/** Items of an argument that is a list. */
export const maxListItems = 100_000;
/** Programs in one archive. */
export const maxPrograms = 64;
/** Size and number of the files that users added to an archive. Those beyond are left out where it is saved again. */
export const maxExtraBytes = 16 * 2 ** 20;
export const maxExtras = 1000;
/** Size of the records `archive_format`, `archive_version`, `byteorder` and `version`. */
export const maxNoteBytes = 64;
/** Length of a module's path and class in messages and in the program. */
export const maxPlaceLength = 400;
/** Characters of a stack of modules or lines that are searched, from its end. Real ones have about 2,000. */
export const maxTraceLength = 2 ** 15;
/** Size of a constant, whose elements become a text in the model: a text of JavaScript has at most 2 ** 29 characters. */
export const maxConstantBytes = 384_000_000;
/** Size of a constant that repeats what its record holds, as an expanded mask does. */
export const maxRepeatedBytes = 64 * 2 ** 20;
