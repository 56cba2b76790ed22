// What a checkpoint may at most contain. Real files stay far below; files made to exhaust memory or time do not. Used by
// the parsers of this folder before they allocate or loop.

/** data.pkl: about 200 bytes a tensor, so this is room for 300,000 tensors. */
export const maxPickleBytes = 64 * 2 ** 20;
/** Instructions of a pickle; a tensor takes about 30. */
export const maxPickleInstructions = 16_000_000;
/** Lists, tuples, dicts, calls: a tensor is nine. Each costs some 64 bytes of memory, and may be one byte of the file. */
export const maxPickleContainers = 4_000_000;
/** Dicts that hold something. */
export const maxPickleDicts = 500_000;
/** Values inside values: how deep the tree of a checkpoint may be. */
export const maxDepth = 256;
/** Modules, tensors and names of a whole pickled model. */
export const maxModuleEntries = 1_000_000;
/** Of functions and classes: a tensor takes one, a parameter two. Each is kept with its arguments. */
export const maxPickleCalls = 400_000;
/** Texts and bytes in their arguments, each time that they are used: they are copied. */
export const maxRepeatedBytes = 2 * maxPickleBytes;
/** Keys of dicts that are large or negative integers: the numbers of Python's objects are, in optimizers of old. */
export const maxSparseKeys = 10_000;
/** Items of sets and arrays that are copied. */
export const maxCopiedItems = 2_000_000;
/** Integers beyond 64 bits are read, as Python has them, but not without end. */
export const maxIntegerBytes = 64;
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
/** A compressed record once it is unpacked. DEFLATE makes at most 1032 bytes of one. */
export const maxUnpackedBytes = 2 ** 30;
/** All of them together: weights that learned something hardly shrink, so a file is no bomb that unpacks to less. */
export const maxUnpackedRatio = 16;
export const leastUnpackedBytes = 2 ** 26;
export const maxDeflateRatio = 1032;
/** The JSON at the start of a safetensors file: about 100 bytes a tensor, so this is room for 160,000 tensors. */
export const maxHeaderBytes = 16 * 2 ** 20;
/** Objects and lists inside others there; a sound header has three. */
export const maxHeaderDepth = 8;
/** What such a file may say of itself, or of one tensor. */
export const maxHeaderFacts = 100_000;
/** Small records that are read whole: byteorder, version. */
export const maxNoteBytes = 64;
