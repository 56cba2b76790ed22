// Describes an exported model without reading the elements of its tensors and without libtorch. For the command line's `inspect`.
import { type DType, dtypes } from '../checkpoint/dtypes';
import { own } from '../core/checks';
import { sizeOf } from '../core/sample-values';
import type { ProgramInput, SizeRange } from '../program/program';
import { withArchive } from './archive';
import type { ExportedProgram, Graph, Size, ProgramTensor as StoredTensor } from './graph';
import { others, programsOf } from './load-model';
import { toModel } from './model';
import { samplesOf, sizeText } from './samples';

export interface ModelDescription {
  path: string;
  bytes: number;
  /** The class of the model, such as 'Net'. */
  name: string;
  torchVersion: string;
  /** Those of the archive. */
  programs: readonly string[];
  /** True if it was exported in evaluation mode alone. */
  isEvaluation: boolean;
  /** Why it cannot evaluate; null: it can. */
  trainsOnly: string | null;
  /** Samples of a batch; `max` is missing where there is no limit. */
  batch: SizeRange;
  /** Of one sample; names are those of `sizes`. */
  inputs: readonly ProgramInput[];
  sizes: Readonly<Record<string, SizeRange>>;
  /** The one that is taken where none is named first. In shapes, 'samples' is the size of a batch where that is free. */
  outputs: readonly { name: string; dtype: DType; shape: (number | string)[] }[];
  /** Calls of the program that trains, most frequent first. */
  operators: readonly { name: string; calls: number }[];
  modules: readonly { path: string; type: string | null }[];
  tensors: readonly DescribedTensor[];
}

export interface DescribedTensor {
  name: string;
  dtype: DType;
  shape: readonly number[];
  bytes: number;
  /** 'frozen': a parameter that is not trained. 'constant': no part of the state. */
  role: 'parameter' | 'frozen' | 'buffer' | 'constant';
  /** Another name of the same tensor, which comes before. */
  tiedTo?: string;
}

/** Throws as loadModel() does, except for operators that are not allowed. */
export function describeModel(path: string, signal?: AbortSignal): Promise<ModelDescription> {
  return withArchive(
    path,
    async (archive) => {
      const [train, evaluation] = await programsOf(archive);
      const source = (program: ExportedProgram) => ({
        program,
        elements: new Map(others(program).map((tensor) => [tensor, ''])),
      });
      const { model, isEvaluation } = await toModel(source(train!), evaluation && source(evaluation));
      const { program } = model;
      const { path: file, size: bytes } = archive.file;
      return {
        ...{ path: file, bytes, name: model.name, torchVersion: train!.torchVersion, programs: archive.programs },
        ...{ isEvaluation, trainsOnly: own(program, 'trainsOnly') ?? null, batch: program.batch! },
        ...{
          inputs: program.inputs,
          sizes: own(program, 'sizes') ?? {},
          outputs: outputsOf(train!, program.outputs[0]),
        },
        operators: operatorsOf(train!.graph),
        modules: train!.modules.map(({ path: at, type = null }) => ({ path: at, type })),
        tensors: tensorsOf(train!),
      };
    },
    signal,
  );
}

function outputsOf(program: ExportedProgram, first: string | undefined): ModelDescription['outputs'] {
  const samples = sizeText(samplesOf(program).batchSize);
  const textOf = (size: Size) => {
    if (typeof size === 'number') return size;
    return sizeText(size) === samples ? 'samples' : sizeText(size);
  };
  const tensors = program.outputs.flatMap((output) =>
    output.type === 'tensor' ? [{ name: output.name, dtype: output.dtype, shape: output.shape.map(textOf) }] : [],
  );
  return tensors.sort((a, b) => Number(b.name === first) - Number(a.name === first));
}

function operatorsOf(graph: Graph): ModelDescription['operators'] {
  const calls = new Map<string, number>();
  const add = ({ nodes }: Graph): void => {
    for (const node of nodes) {
      if (node.kind === 'region') add(node.graph);
      if (node.kind === 'condition') for (const branch of [node.whenTrue, node.whenFalse]) add(branch);
      if (node.kind === 'operator') calls.set(node.op, (calls.get(node.op) ?? 0) + 1);
    }
  };
  add(graph);
  return [...calls].map(([name, count]) => ({ name, calls: count })).sort((a, b) => b.calls - a.calls);
}

/** Those of the state by all their names, in its order, and the others. */
function tensorsOf(program: ExportedProgram): DescribedTensor[] {
  const { state, tensors } = program;
  const named = [
    ...state.map(({ name, tensor }) => ({ name, tensor: tensors[tensor]! })),
    ...others(program).map((tensor) => ({ name: tensor.names[0]!, tensor })),
  ];
  const first = new Map<StoredTensor, string>();
  return named.map(({ name, tensor }) => {
    const owner = first.get(tensor);
    if (owner === undefined) first.set(tensor, name);
    const { role, persistent, requiresGrad, dtype, shape } = tensor;
    return {
      ...{ name, dtype, shape, bytes: sizeOf(shape) * dtypes[dtype].bytes },
      role: !persistent ? 'constant' : role !== 'parameter' ? 'buffer' : requiresGrad ? 'parameter' : 'frozen',
      ...(owner !== undefined && { tiedTo: owner }),
    };
  });
}
