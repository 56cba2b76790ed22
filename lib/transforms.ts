// Transforms: what happens to an image between the data set and the model. Plain values; src/data/pipeline.cc runs them.

/** One step of a pipeline. Made by the functions below. */
export type Transform =
  | { readonly kind: 'randomHorizontalFlip'; readonly p: number }
  | { readonly kind: 'randomVerticalFlip'; readonly p: number }
  | { readonly kind: 'randomRotation'; readonly degrees: readonly [number, number] }
  | { readonly kind: 'randomCrop'; readonly size: readonly [number, number]; readonly padding: number }
  | { readonly kind: 'toTensor' }
  | { readonly kind: 'normalize'; readonly mean: readonly number[]; readonly std: readonly number[] };
