// References to what lives in the addon.

/** A native state dict. Opaque; only the functions of native.ts can look inside. */
export type StateHandle = { readonly __state: never };
/** A native program. */
export type ProgramHandle = { readonly __program: never };
/** A native program to which nodes are added. */
export type ProgramDraftHandle = { readonly __draft: never };
/** A native data set. */
export type DatasetHandle = { readonly __dataset: never };
/** A run through a native data set, batch by batch. */
export type BatchesHandle = { readonly __batches: never };
/** Answers to the validations of a training. */
export type VerdictsHandle = { readonly __verdicts: never };
/** An online learner's weights, optimizer, random numbers and replay buffer. */
export type LearnerHandle = { readonly __learner: never };
/** A lock on a file. */
export type LockHandle = { readonly __lock: never };
