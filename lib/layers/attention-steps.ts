// The operators of torch.nn.functional.multi_head_attention_forward with need_weights=False, in its order.
import { type ModuleCall, modelInput, node, value } from '../program/module';
import type { ListItem, ProgramNode } from '../program/program';

/** What the operators depend on. */
export interface AttentionForm {
  readonly bias: boolean;
  /** Whether one weight projects to query, key and value. */
  readonly isPacked: boolean;
  readonly dropout?: number;
  readonly addBiasKv?: boolean;
  readonly addZeroAttn?: boolean;
  readonly batchFirst?: boolean;
  readonly memory?: string | true;
  readonly paddingMask?: string;
  readonly causal?: boolean;
}

type Step = ProgramNode | ModuleCall;

/** Computes `output` of `input`, of a memory, and of the tensors of a MultiheadAttention of `width` features. */
export function attentionSteps(width: number, heads: number, form: AttentionForm): Step[] {
  const { batchFirst = false } = form;
  const size = [value('steps'), value('samples'), width];
  return [
    ...sequences(form),
    ...projections(width, form),
    ...longer(width / heads, form),
    ...masks(heads, form),
    ...attend(width, heads, form),
    { module: 'out_proj', input: 'joined', output: 'projected' },
    view('projected', size, batchFirst ? 'result' : 'output'),
    ...(batchFirst ? [transpose('result', 1, 0, 'output')] : []),
  ];
}

const view = (self: string, size: readonly ListItem[], name: string) =>
  node('view', '', { self: value(self), size }, name);

const transpose = (self: string, dim0: number, dim1: number, name: string) =>
  node('transpose', 'int', { self: value(self), dim0, dim1 }, name);

const sizeOf = (self: string, dim: number, name: string) => node('sym_size', 'int', { self: value(self), dim }, name);

/** The values `query` and `seen`, [t, n, features], and the numbers `steps` and `samples`. */
function sequences({ batchFirst, memory }: AttentionForm): ProgramNode[] {
  const timeFirst = (self: ReturnType<typeof value>, name: string) =>
    batchFirst ? node('transpose', 'int', { self, dim0: 1, dim1: 0 }, name) : node('alias', '', { self }, name);
  const seen = memory === true ? value('memory') : modelInput(memory ?? '');
  return [
    timeFirst(value('input'), 'query'),
    ...(memory === undefined ? [] : [timeFirst(seen, 'seen')]),
    sizeOf('query', 0, 'steps'),
    sizeOf('query', 1, 'samples'),
  ];
}

/** The values `q`, `k` and `v`, [t, n, width]. */
function projections(width: number, { bias, isPacked, memory }: AttentionForm): ProgramNode[] {
  const project = (input: string, weight: string, of: string, name: string) =>
    node('linear', '', { input: value(input), weight: value(weight), bias: bias ? value(of) : null }, name);
  // As chunk() would, but with better locality.
  const parts = (...names: string[]) => [
    node('unflatten', 'int', { self: value('product'), dim: -1, sizes: [names.length, width] }, 'unflat'),
    node('unsqueeze', '', { self: value('unflat'), dim: 0 }, 'raised'),
    transpose('raised', 0, -2, 'turned'),
    node('squeeze', 'dim', { self: value('turned'), dim: -2 }, 'stacked'),
    node('contiguous', '', { self: value('stacked') }, 'parts'),
    ...names.map((name, index) => node('select', 'int', { self: value('parts'), dim: 0, index }, name)),
  ];
  if (!isPacked) {
    const biases = {
      ...node('chunk', '', { self: value('in_proj_bias'), chunks: 3 }),
      outputs: [['b_q', 'b_k', 'b_v']],
    };
    return [
      ...(bias ? [biases] : []),
      project('query', 'q_proj_weight', 'b_q', 'q'),
      project('seen', 'k_proj_weight', 'b_k', 'k'),
      project('seen', 'v_proj_weight', 'b_v', 'v'),
    ];
  }
  if (memory === undefined)
    return [project('query', 'in_proj_weight', 'in_proj_bias', 'product'), ...parts('q', 'k', 'v')];
  const split = (self: string, ...names: string[]) => ({
    ...node('split_with_sizes', '', { self: value(self), split_sizes: [width, width * 2] }),
    outputs: [names],
  });
  return [
    split('in_proj_weight', 'w_q', 'w_kv'),
    ...(bias ? [split('in_proj_bias', 'b_q', 'b_kv')] : []),
    project('query', 'w_q', 'b_q', 'q'),
    project('seen', 'w_kv', 'b_kv', 'product'),
    ...parts('k', 'v'),
  ];
}

/** The values `heads_q`, `heads_k` and `heads_v`, [n * heads, t, width of a head], of keys and values with what is added to them. */
function longer(head: number, { addBiasKv, addZeroAttn }: AttentionForm): ProgramNode[] {
  const side = (name: 'k' | 'v') => {
    const biased = addBiasKv ? `${name}_biased` : name;
    const split = addZeroAttn ? `${name}_split` : `heads_${name}`;
    return [
      ...(addBiasKv
        ? [
            node('repeat', '', { self: value(`bias_${name}`), repeats: [1, value('samples'), 1] }, `${name}_bias`),
            node('cat', '', { tensors: [value(name), value(`${name}_bias`)] }, biased),
          ]
        : []),
      sizeOf(biased, 0, `${name}_steps`),
      view(biased, [value(`${name}_steps`), -1, head], `${name}_viewed`),
      transpose(`${name}_viewed`, 0, 1, split),
      ...(addZeroAttn
        ? [
            sizeOf(split, 0, `${name}_rows`),
            node('new_zeros', '', { self: value(split), size: [value(`${name}_rows`), 1, head] }, `${name}_zeros`),
            node('cat', '', { tensors: [value(split), value(`${name}_zeros`)], dim: 1 }, `heads_${name}`),
          ]
        : []),
    ];
  };
  return [
    view('q', [value('steps'), -1, head], 'q_viewed'),
    transpose('q_viewed', 0, 1, 'heads_q'),
    ...side('k'),
    ...side('v'),
    sizeOf('heads_k', 1, 'seen_steps'),
  ];
}

/** Whether scaled_dot_product_attention masks what is later by itself, as it can without another mask and on square ones. */
function isHinted({ causal, paddingMask, addBiasKv, addZeroAttn }: AttentionForm): boolean {
  return Boolean(causal) && paddingMask === undefined && !addBiasKv && !addZeroAttn;
}

function isMasked(form: AttentionForm): boolean {
  return form.paddingMask !== undefined || (Boolean(form.causal) && !isHinted(form));
}

/**
 * The value `mask`, [n or 1, heads or 1, t, seen], which is added to the products: 0, or -Infinity where a step is not looked at. The latter is
 * the logarithm of 0 here, since a program is plain data of numbers that JSON has.
 */
function masks(heads: number, form: AttentionForm): ProgramNode[] {
  if (!isMasked(form)) return [];
  const { causal, paddingMask, memory } = form;
  const added = Number(form.addBiasKv ?? false) + Number(form.addZeroAttn ?? false);
  const widened = (self: string, name: string) =>
    added === 0
      ? node('alias', '', { self: value(self) }, name)
      : node('pad', '', { self: value(self), pad: [0, added] }, name);
  const own = memory === undefined ? 'query' : 'seen';
  const later = [
    sizeOf(own, 0, 'columns'),
    node('new_ones', '', { self: value('query'), size: [value('steps'), value('columns')] }, 'ones'),
    node('tril', '', { self: value('ones') }, 'triangle'),
    node('log', '', { self: value('triangle') }, 'square'),
    node('unsqueeze', '', { self: value('square'), dim: 0 }, 'cube'),
    widened('cube', 'later'),
  ];
  if (paddingMask === undefined) return [...later, node('unsqueeze', '', { self: value('later'), dim: 0 }, 'mask')];
  const padding = [
    node('ne', 'Scalar', { self: modelInput(paddingMask), other: 0 }, 'isReal'),
    node('type_as', '', { self: value('isReal'), other: value('query') }, 'real'),
    node('log', '', { self: value('real') }, 'hidden'),
    widened('hidden', 'padding'),
    view('padding', [value('samples'), 1, 1, value('seen_steps')], 'row'),
    node('expand', '', { self: value('row'), size: [-1, heads, -1, -1] }, 'rows'),
    node('reshape', '', { self: value('rows'), shape: [-1, 1, value('seen_steps')] }, causal ? 'flat' : 'merged'),
  ];
  return [
    ...padding,
    ...(causal ? [...later, node('add', 'Tensor', { self: value('later'), other: value('flat') }, 'merged')] : []),
    view('merged', [value('samples'), heads, -1, value('seen_steps')], 'mask'),
  ];
}

/** The value `joined`, [t * n, width]. */
function attend(width: number, heads: number, form: AttentionForm): ProgramNode[] {
  const head = width / heads;
  const { dropout = 0 } = form;
  const run = (probability: number) =>
    node(
      'scaled_dot_product_attention',
      '',
      {
        ...{ query: value('query_heads'), key: value('key_heads'), value: value('value_heads') },
        ...{ attn_mask: isMasked(form) ? value('mask') : null, dropout_p: probability, is_causal: isHinted(form) },
      },
      'attended',
    );
  return [
    view('heads_q', [value('samples'), heads, value('steps'), head], 'query_heads'),
    view('heads_k', [value('samples'), heads, value('seen_steps'), head], 'key_heads'),
    view('heads_v', [value('samples'), heads, value('seen_steps'), head], 'value_heads'),
    ...(dropout === 0
      ? [run(0)]
      : [
          { ...run(dropout), only: 'training' as const },
          { ...run(0), only: 'evaluation' as const },
        ]),
    node('permute', '', { self: value('attended'), dims: [2, 0, 1, 3] }, 'timeFirst'),
    node('reshape', '', { self: value('timeFirst'), shape: [-1, width] }, 'joined'),
  ];
}
