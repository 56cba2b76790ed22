// The ways to train that the trials compare, by name: options of trainIncremental() and what a table calls them.
export const variants = {
  exact: { title: 'exact', options: {} },
  // What any model gets; the reference script's has nothing but affine operators, so that fast mode would contract it by itself.
  fast: { title: 'fast, general path', options: { mode: 'fast', contractLinear: false } },
  contracted: { title: 'fast, contracted', options: { mode: 'fast' } },
  bf16: { title: 'fast, bf16, general path', options: { mode: 'fast', precision: 'bf16', contractLinear: false } },
};
