// Prefixes that wrappers put before every name of a state dict: DataParallel, torch.compile, FSDP, Lightning and others.

/** In any order and number. */
export const wrappers = ['module.', '_orig_mod.', 'model.', '_fsdp_wrapped_module.', '_checkpoint_wrapped_module.'];

/** Whether a name begins with the prefix of a wrapper. */
export function isWrapped(name: string): boolean {
  return wrappers.some((wrapper) => name.startsWith(wrapper));
}
