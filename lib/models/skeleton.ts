// Writes the start of a model for a state of no known model: layers with the names and shapes of its tensors, as JavaScript. What leaves no
// trace in a state (activations, pooling, strides, the order of calls) is for the reader to add.
import { printable } from '../core/printable';
import type { Model } from '../program/module';

/** Modules in one another; the names of more of them count as that of one tensor. */
const deepest = 64;

const packageName = 'torch-incremental';

/** Tensors of one module by their own names. */
type Shapes = ReadonlyMap<string, readonly number[]>;

/** A module, as the names of the tensors show it. */
interface Part {
  readonly tensors: Map<string, readonly number[]>;
  readonly children: Map<string, Part>;
}

/** A layer as JavaScript. */
interface Guess {
  /** The function that makes it. */
  readonly maker: string;
  readonly args: string;
  /** What the tensors do not say. */
  readonly note?: string;
}

interface Listed {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Makes the text of an ES module that exports a model with these tensors, as far as they are those of known layers. */
export function skeletonOf(tensors: readonly Listed[]): string {
  const writer = new Writer();
  const model = writer.model(treeOf(tensors), '');
  return [
    `import { ${[...writer.makers].sort().join(', ')} } from '${packageName}';`,
    '',
    '// Layers by the names and shapes of the tensors. Activations, pooling, strides and the order of calls leave no trace: add them.',
    `export default ${model};`,
    '',
  ].join('\n');
}

function treeOf(tensors: readonly Listed[]): Part {
  const root: Part = { tensors: new Map(), children: new Map() };
  for (const { name, shape } of tensors) {
    const steps = name.split('.');
    const path = [...steps.slice(0, -1).slice(0, deepest), steps.slice(Math.min(deepest, steps.length - 1)).join('.')];
    let part = root;
    for (const step of path.slice(0, -1)) {
      const child: Part = part.children.get(step) ?? { tensors: new Map(), children: new Map() };
      part.children.set(step, child);
      part = child;
    }
    part.tensors.set(path.at(-1)!, shape);
  }
  return root;
}

class Writer {
  readonly makers = new Set<string>();
  /** Axes of images, sequences or volumes, as the last convolution says. 0: rows of features. */
  #axes = 0;

  model({ tensors, children }: Part, indent: string): string {
    this.makers.add('sequential');
    const inner = `${indent}  `;
    const isList = [...children.keys()].some((name) => /^\d+$/.test(name));
    const lines = [...tensors].map(
      ([name, shape]) => `${inner}// ${shownName(name)} [${shape.join(', ')}]: a tensor of the model itself`,
    );
    for (const [name, child] of children) {
      const { text, note } = this.#layer(child, inner);
      const entry = isList ? `[${quoted(name)}, ${text}]` : `${isName(name) ? name : quoted(name)}: ${text}`;
      lines.push(`${inner}${entry},${note ? ` // ${note}` : ''}`);
    }
    const [open, close] = isList ? ['[', ']'] : ['{', '}'];
    return `sequential(${open}\n${lines.join('\n')}\n${indent}${close})`;
  }

  #layer(part: Part, indent: string): { text: string; note?: string | undefined } {
    if (part.children.size > 0 && !part.tensors.has('in_proj_weight')) return { text: this.model(part, indent) };
    const guess = this.#guess(part);
    if (!guess) {
      this.makers.add('identity');
      const shapes = [...part.tensors].map(([name, shape]) => `${shownName(name)} [${shape.join(', ')}]`);
      return { text: 'identity()', note: `of no known layer: ${shapes.join(', ')}` };
    }
    this.makers.add(guess.maker);
    return { text: `${guess.maker}(${guess.args})`, note: guess.note };
  }

  #guess({ tensors }: Part): Guess | undefined {
    const weight = tensors.get('weight');
    if (tensors.has('weight_ih_l0')) return recurrent(tensors);
    if (tensors.has('in_proj_weight')) return attention(tensors);
    if (tensors.has('running_mean')) return this.#batchNorm(tensors);
    if (!weight || [...tensors.keys()].some((name) => name !== 'weight' && name !== 'bias')) return undefined;
    const hasBias = tensors.has('bias');
    if (weight.length === 1) return norm(weight[0]!, hasBias);
    if (weight.length === 2) return this.#matrix(weight as readonly [number, number], hasBias);
    return weight.length <= 5 ? this.#convolution(weight, hasBias) : undefined;
  }

  #batchNorm(tensors: Shapes): Guess {
    const options = tensors.has('weight') ? '' : ', { affine: false }';
    return { maker: `batchNorm${Math.max(1, this.#axes)}d`, args: `${tensors.get('running_mean')![0]}${options}` };
  }

  #matrix([rows, columns]: readonly [number, number], hasBias: boolean): Guess {
    if (hasBias) {
      this.#axes = 0;
      return { maker: 'linear', args: `${columns}, ${rows}` };
    }
    // Words are more than the numbers that each becomes.
    if (rows > 4 * columns)
      return { maker: 'embedding', args: `${rows}, ${columns}`, note: 'or linear(), without a bias' };
    return { maker: 'linear', args: `${columns}, ${rows}, { bias: false }` };
  }

  #convolution([out, input, ...kernel]: readonly number[], hasBias: boolean): Guess {
    this.#axes = kernel.length;
    const size = kernel.every((each) => each === kernel[0]) ? String(kernel[0]) : `[${kernel.join(', ')}]`;
    const bias = hasBias ? '' : ', { bias: false }';
    // A depthwise one has as many groups as channels; others with groups look like those of fewer channels.
    if (input === 1 && out! > 4)
      return {
        maker: `conv${this.#axes}d`,
        args: `${out}, ${out}, ${size}, { groups: ${out}${hasBias ? '' : ', bias: false'} }`,
        note: `or of one channel: conv${this.#axes}d(1, ${out}, ${size}${bias})`,
      };
    return { maker: `conv${this.#axes}d`, args: `${input}, ${out}, ${size}${bias}`, note: 'groups, stride, padding?' };
  }
}

/** A name between quotation marks, on one line whatever is in it. */
function shownName(name: string): string {
  return printable(JSON.stringify(name));
}

/** A name as JavaScript writes it; what a file names cannot end the text. */
function quoted(name: string): string {
  return /^[\w -]+$/.test(name) ? `'${name}'` : shownName(name);
}

function isName(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

function norm(features: number, hasBias: boolean): Guess {
  if (!hasBias) return { maker: 'rmsNorm', args: String(features) };
  return { maker: 'layerNorm', args: String(features), note: `or groupNorm(groups, ${features})` };
}

/** The rows of weight_ih are those of 4 gates in an LSTM, 3 in a GRU and 1 in an RNN, of as many features as weight_hh has columns. */
function recurrent(tensors: Shapes): Guess | undefined {
  const [rows, inputs] = tensors.get('weight_ih_l0')!;
  const hidden = tensors.get('weight_hh_l0')?.[1];
  const projected = tensors.get('weight_hr_l0');
  const width = projected ? projected[1] : hidden;
  const maker = { 4: 'lstm', 3: 'gru', 1: 'rnn' }[rows! / (width ?? 0)];
  if (maker === undefined) return undefined;
  const layers = [...tensors.keys()].filter((name) => /^weight_ih_l\d+$/.test(name)).length;
  const options = [
    ...(layers > 1 ? [`numLayers: ${layers}`] : []),
    ...(tensors.has('bias_ih_l0') ? [] : ['bias: false']),
    ...(tensors.has('weight_ih_l0_reverse') ? ['bidirectional: true'] : []),
    ...(projected ? [`projSize: ${projected[0]}`] : []),
  ];
  const given = options.length > 0 ? `, { ${options.join(', ')} }` : '';
  return { maker, args: `${inputs}, ${width}${given}`, note: 'batchFirst, dropout?' };
}

function attention(tensors: Shapes): Guess {
  const width = tensors.get('in_proj_weight')![1];
  const bias = tensors.has('in_proj_bias') ? '' : ', { bias: false }';
  return { maker: 'multiheadAttention', args: `${width}, 1${bias}`, note: 'how many heads?' };
}

/** Makes the text of an ES module that exports a known model. */
export function knownModelText({ name, tensors }: Model): string {
  const last = tensors.findLast((tensor) => tensor.shape.length > 1)!;
  const [maker, call] =
    name === 'Net' ? ['net', 'net()'] : ['getModel', `getModel('${name}', { numClasses: ${last.shape[0]} })`];
  return [`import { ${maker} } from '${packageName}';`, '', `export default ${call};`, ''].join('\n');
}
