// Limits of what a checkpoint may contain. Real files stay far below them; files made to exhaust memory or time do not. The
// parsers of this folder check a limit before they allocate or loop.

/** Size of data.pkl: about 200 bytes per tensor. */
export const maxPickleBytes = 64 * 2 ** 20;
/** Instructions of a pickle, about 100 ns each. A tensor takes about 30, so this allows 200,000 tensors. */
export const maxPickleInstructions = 6_000_000;
/**
 * Memory for a pickle's values and everything made from them, by the costs of pickle/budget.ts: a tensor takes about 1,500
 * bytes, a number in a list 48. The largest published single-file checkpoints hold about 10,000 tensors.
 */
export const maxHeldBytes = 256 * 2 ** 20;
/** Values on the stack, waiting to be put into containers. Python's pickler does so for a thousand at a time. */
export const maxStackedValues = 2 ** 21;
/** Instructions of a damaged pickle that are searched for code, about 30 ns each. */
export const maxScannedInstructions = 16_000_000;
/** Different Python names. A whole pickled model names about a hundred classes. */
export const maxGlobals = 150_000;
/** Integers of more than eight bytes. The state of a random generator has one or two. */
export const maxLongIntegers = 100_000;
/** Unsupported tensors among the metadata: detecting each one costs an exception. */
export const maxUnsupportedTensors = 20_000;
/** Length of a storage's key, a number in all real files, and of its location, such as cuda:0. */
export const maxStorageNameLength = 1024;
/** Values that are searched to find the path that an error message names. */
export const maxSearchedValues = 200_000;
/** Lists, tuples, dicts and calls: a tensor takes nine. */
export const maxPickleContainers = 4_000_000;
/** Non-empty dicts: one for each of 200,000 tensors, and about as many as fit into maxHeldBytes. */
export const maxPickleDicts = 250_000;
/** Depth of the tree of values. */
export const maxDepth = 256;
/** Code of a TorchScript archive: a few KiB for each class. */
export const maxScriptBytes = 16 * 2 ** 20;
/** Modules, tensors and names of a whole pickled model. */
export const maxModuleEntries = 1_000_000;
/** Total length of the names of a whole model's tensors, each of which repeats the names of its modules: about 50 each. */
export const maxModuleCharacters = 2 ** 25;
/** Calls of functions and classes: a tensor takes one, a parameter two. Each is kept with its arguments. */
export const maxPickleCalls = 400_000;
/** Texts and bytes in the arguments of calls, counted at each use because they are copied. */
export const maxRepeatedBytes = 2 * maxPickleBytes;
/** Dict keys that are large or negative integers. Old optimizer states use the ids of Python objects as keys. */
export const maxSparseKeys = 10_000;
/** Items of sets and arrays, which are copied. */
export const maxCopiedItems = 2_000_000;
/** Width of an integer. Integers of more than 64 bits are read, as in Python, up to this limit. */
export const maxIntegerBytes = 64;
/** Instructions run per turn of the event loop: about a millisecond. */
export const instructionsPerTurn = 20_000;
/** Length of a string in a pickle. */
export const maxStringBytes = 2 ** 20;
/** Length of each half of a global's name: module and attribute. */
export const maxGlobalBytes = 256;
export const maxDimensions = 64;
/** Records of a zip file: one per storage and a few others. As many as the tensors that a pickle may name. */
export const maxRecords = 300_000;
/** Size of the zip directory: 46 bytes and a name per record. */
export const maxDirectoryBytes = 64 * 2 ** 20;
export const maxRecordNameBytes = 4096;
/** Size of an unpacked record. DEFLATE makes at most 1032 bytes of one. */
export const maxUnpackedBytes = 2 ** 30;
/** Size of all unpacked records, as a multiple of the file's. Trained weights hardly compress, so a larger ratio is a bomb. */
export const maxUnpackedRatio = 16;
export const leastUnpackedBytes = 2 ** 26;
export const maxDeflateRatio = 1032;
/** Size of the JSON header of a safetensors file: about 100 bytes per tensor, so this allows 160,000 tensors. */
export const maxHeaderBytes = 16 * 2 ** 20;
/** Nesting depth of the header; a valid one has three levels. */
export const maxHeaderDepth = 8;
/** Items of a list in the header; a shape has at most 64. */
export const maxHeaderItems = 1024;
/** Keys of the file's metadata in the header, and keys of the description of one tensor. */
export const maxHeaderFacts = 100_000;
/** Files of a sharded checkpoint; the largest published ones have a few hundred. */
export const maxShards = 4096;
/** Size of the index of a sharded checkpoint: about 100 bytes per tensor. */
export const maxIndexBytes = 16 * 2 ** 20;
/** Size of the records `byteorder` and `version`. */
export const maxNoteBytes = 64;
