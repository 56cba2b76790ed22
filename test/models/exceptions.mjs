// Models of the list that are not trained bit for bit, each with its verdict and the reason. A model that is not in this list is equal.
export const exceptions = {
  batch_norm_cumulative: [
    'not exported',
    'BatchNorm2d(momentum=None) divides by a number that torch.export does not know',
  ],
  lstm_packed: ['not exported', 'torch.export does not trace pack_padded_sequence()'],
  data_dependent_if: ['not exported', 'an `if` on numbers; torch.cond exports'],
  hf_gpt2_cache: ['not exported', 'its output holds a cache, which use_cache=False leaves out'],
  layer_drop: ['not exported', 'an `if` on a number that is drawn'],
  hf_mixtral_lm: ['refused', 'its experts call an operator that transformers registers in Python'],
};
