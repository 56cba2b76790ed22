// What a checkpoint may at most contain. Real files stay far below; files made to exhaust memory or time do not. Used by
// the parsers of this folder before they allocate or loop.

/** data.pkl: about 200 bytes a tensor, so this is room for 300,000 tensors. */
export const maxPickleBytes = 64 * 2 ** 20;
/** Instructions of a pickle; a tensor takes about 30. */
export const maxPickleInstructions = 16_000_000;
/** Instructions between two turns of the event loop: about a millisecond. */
export const instructionsPerTurn = 20_000;
/** A string inside a pickle. */
export const maxStringBytes = 2 ** 20;
/** One half of a global's name: module or attribute. */
export const maxGlobalBytes = 256;
export const maxDimensions = 64;
export const maxRecords = 1_000_000;
/** The zip directory, 46 bytes a record and its name. */
export const maxDirectoryBytes = 256 * 2 ** 20;
export const maxRecordNameBytes = 4096;
/** Small records that are read whole: byteorder, version. */
export const maxNoteBytes = 64;
