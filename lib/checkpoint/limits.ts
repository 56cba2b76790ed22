// What a checkpoint may at most contain, far above anything real: a file cannot make the reader allocate or loop beyond
// these, whatever it claims.

/** Bytes of `data.pkl`. */
export const maxPickleBytes = 64 * 2 ** 20;
/** Operations of a pickle. */
export const maxOperations = 50_000_000;
/** Records in a zip directory. */
export const maxRecords = 1_000_000;
/** Bytes of a zip directory. */
export const maxDirectoryBytes = 512 * 2 ** 20;
/** Bytes of a record's name, and of a tensor's. */
export const maxNameBytes = 4096;
/** Bytes of any other string. */
export const maxStringBytes = 2 ** 20;
/** Axes of a tensor. */
export const maxDimensions = 64;
