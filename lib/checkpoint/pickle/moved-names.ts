// Names of modules that have moved since a pickle was written.

/** Modules of Python 2, and of older PyTorch and NumPy, with their current names. */
const moved: readonly (readonly [from: RegExp, to: string])[] = [
  [/^__builtin__$/, 'builtins'],
  [/^copy_reg$/, 'copyreg'],
  [/^cPickle$/, 'pickle'],
  [/^torch\.tensor$/, 'torch._tensor'],
  [/^numpy\.core\b/, 'numpy._core'],
];

export function currentModule(module: string): string {
  for (const [from, to] of moved) if (from.test(module)) return module.replace(from, to);
  return module;
}
