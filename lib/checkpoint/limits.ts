// What a checkpoint may at most contain. Real files stay far below; files made to exhaust memory or time do not. Used by
// the parsers of this folder before they allocate or loop.

/** data.pkl: about 200 bytes a tensor. */
export const maxPickleBytes = 64 * 2 ** 20;
/** Instructions of a pickle, each some 100 ns; a tensor takes about 30, so this is room for 200,000 tensors. */
export const maxPickleInstructions = 6_000_000;
/**
 * What a pickle's values and what is made of them take in memory, by the costs of pickle-budget.ts: a tensor takes about 1,500
 * bytes, a number in a list 48. The largest checkpoints that people publish in one file hold some 10,000 tensors.
 */
export const maxHeldBytes = 256 * 2 ** 20;
/** Values that wait to be put into others. Python's pickler puts them there a thousand at a time. */
export const maxStackedValues = 2 ** 21;
/** Instructions that are looked through for code where a pickle is refused for something else; each some 30 ns. */
export const maxScannedInstructions = 16_000_000;
/** Different names of Python. A whole pickled model names some hundred classes. */
export const maxGlobals = 150_000;
/** Integers of more than eight bytes, which a state of a random generator has one of, or two. */
export const maxLongIntegers = 100_000;
/** Tensors of kinds that are not read, beside the weights: each takes an error to find out. */
export const maxUnsupportedTensors = 20_000;
/** A storage's key, which is a number in all files, and its location, such as cuda:0. */
export const maxStorageNameLength = 1024;
/** Values that are looked at to say in an error where in the tree something is. */
export const maxSearchedValues = 200_000;
/** Lists, tuples, dicts, calls: a tensor is nine. */
export const maxPickleContainers = 4_000_000;
/** Dicts that hold something: one for each of 200,000 tensors, and as many as fit into maxHeldBytes. */
export const maxPickleDicts = 250_000;
/** Values inside values: how deep the tree of a checkpoint may be. */
export const maxDepth = 256;
/** Modules, tensors and names of a whole pickled model. */
export const maxModuleEntries = 1_000_000;
/** Of its tensors' names together, each of which repeats those of the modules that it is in: some 50 a tensor. */
export const maxModuleCharacters = 2 ** 25;
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
/** Of a zip: one for each storage, and some beside them. As many as tensors that a pickle may name. */
export const maxRecords = 300_000;
/** The zip directory, 46 bytes a record and its name. */
export const maxDirectoryBytes = 64 * 2 ** 20;
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
/** Items of a list there; a shape has at most 64. */
export const maxHeaderItems = 1024;
/** What such a file may say of itself, or of one tensor. */
export const maxHeaderFacts = 100_000;
/** Small records that are read whole: byteorder, version. */
export const maxNoteBytes = 64;
