// torch.nn.TransformerEncoder and TransformerDecoder: copies of one layer, one after the other.
import { checkNumbers, checkOptions, invalid, isBoolean } from '../core/checks';
import { frozen } from '../core/family';
import { type Draw, isBuilt, isLayer, type Module, type ModuleCall } from '../program/module';
import { constant } from './initialisers';

/** Options of {@link transformerEncoder} and {@link transformerDecoder}. */
export interface TransformerOptions {
  /** Whether a LayerNorm like those of the layer follows the last one; PyTorch takes the module itself. Defaults to false. */
  norm?: boolean;
}

/**
 * `numLayers` copies of a layer, which all begin with the same weights, as PyTorch's do. As `torch.nn.TransformerEncoder`.
 *
 * @example
 * ```ts
 * const encoder = transformerEncoder(transformerEncoderLayer(32, 4, { batchFirst: true }), 2, { norm: true });
 * ```
 */
export function transformerEncoder(encoderLayer: Module, numLayers: number, options: TransformerOptions = {}): Module {
  const caller = 'transformerEncoder';
  checkLayer(caller, encoderLayer, 'TransformerEncoderLayer');
  checkNumbers(caller, { numLayers }, { integer: true, min: 1 });
  const { norm = false } = checkOptions(caller, options, { norm: isBoolean });
  return stack('TransformerEncoder', encoderLayer, numLayers, norm);
}

/**
 * `numLayers` copies of a layer, which all begin with the same weights, as PyTorch's do, and look at one memory. As
 * `torch.nn.TransformerDecoder`.
 *
 * @example
 * ```ts
 * const layer = transformerDecoderLayer(32, 4, { batchFirst: true, causal: true, memory: 'encoded' });
 * const decoder = transformerDecoder(layer, 2);
 * ```
 */
export function transformerDecoder(decoderLayer: Module, numLayers: number, options: TransformerOptions = {}): Module {
  const caller = 'transformerDecoder';
  checkLayer(caller, decoderLayer, 'TransformerDecoderLayer');
  checkNumbers(caller, { numLayers }, { integer: true, min: 1 });
  const { norm = false } = checkOptions(caller, options, { norm: isBoolean });
  return stack('TransformerDecoder', decoderLayer, numLayers, norm);
}

function checkLayer(caller: string, layer: unknown, type: string): void {
  if (isLayer(layer) && !isBuilt(layer) && layer.type === type) return;
  const name = type.charAt(0).toLowerCase() + type.slice(1);
  throw invalid(`what ${name}() makes`, `${caller}: layer`, layer);
}

function stack(type: string, layer: Module, count: number, hasNorm: boolean): Module {
  const input = (name: string) => (takesMemory(layer) ? { input: name, memory: 'memory' } : name);
  const names = Array.from({ length: count }, (_, index) => String(index));
  const copy = undrawn(layer);
  const layers: Module = {
    ...{ type: 'ModuleList', version: 1, tensors: [] },
    children: names.map((name, index) => [name, index === 0 ? layer : copy] as const),
    steps: names.map((name, index) => ({
      module: name,
      input: input(index === 0 ? 'input' : `x${index}`),
      output: index === count - 1 ? 'output' : `x${index + 1}`,
    })),
    draws: names.slice(1).flatMap((name) => copies(tensorsOf(layer), '0', name)),
  };
  const last = hasNorm ? layer.children.find(([name]) => name === 'norm1') : undefined;
  return frozen({
    ...{ type, version: 1, tensors: [] },
    children: [['layers', layers] as const, ...(last ? [['norm', last[1]] as const] : [])],
    steps: [
      { module: 'layers', input: input('input'), output: last ? 'stacked' : 'output' },
      ...(last ? [{ module: 'norm', input: 'stacked', output: 'output' }] : []),
    ],
  });
}

/** Whether a layer looks at the value `memory` of what it is in. */
function takesMemory({ steps }: Module): boolean {
  return steps.some((step) => {
    const { input } = step as ModuleCall;
    return typeof input === 'object' && Object.hasOwn(input, 'memory');
  });
}

/** A module that draws nothing: its tensors get their values from another. */
function undrawn({ draws: _, ...module }: Module): Module {
  return {
    ...module,
    tensors: module.tensors.map((tensor) => ({ ...tensor, init: constant(0) })),
    children: module.children.map(([name, child]) => [name, undrawn(child as Module)] as const),
  };
}

/** Names of a module's tensors, from it on. */
function tensorsOf({ tensors, children }: Module): string[] {
  return [
    ...tensors.map(({ name }) => name),
    ...children.flatMap(([child, module]) => tensorsOf(module as Module).map((name) => `${child}.${name}`)),
  ];
}

function copies(tensors: readonly string[], from: string, to: string): Draw[] {
  return tensors.map((name) => ({ tensor: `${to}.${name}`, init: { kind: 'copy', tensor: `${from}.${name}` } }));
}
