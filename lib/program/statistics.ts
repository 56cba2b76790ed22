// Running statistics of batch norms: which nodes of a program take and keep them, and programs in which some stay as they are.
import { matching } from '../core/patterns';
import { isReference, type Program, type ProgramNode } from './program';

/** Normalise by statistics of the batch in training, and keep these in their buffers. */
const norms = ['aten::batch_norm', 'aten::native_batch_norm'];

/**
 * The program with batch norms that do in training as they do in evaluation: those whose running statistics match `patterns`, which name
 * them or the modules that they are in. As `module.eval()` of them in PyTorch. Throws ERR_INVALID_OPTION for a pattern that matches none.
 */
export function withFrozenStatistics(program: Program, patterns: readonly string[]): Program {
  if (patterns.length === 0) return program;
  const buffers = new Set(program.buffers.map(({ name }) => name));
  const taken = program.nodes.filter(isNorm).flatMap((node) => buffersIn(node, buffers));
  const found = matching(taken, patterns, { option: 'frozenStatistics', of: 'the batch norms of the model' });
  const modules = new Set(found.map(moduleOf));
  const isFrozen = (node: ProgramNode) => buffersIn(node, buffers).some((name) => modules.has(moduleOf(name)));
  const nodes = program.nodes.flatMap((node) => {
    if (!isFrozen(node)) return [node];
    if (isNorm(node)) return [{ ...node, args: { ...node.args, training: false } }];
    // The count of batches, which changes in place, stays too.
    return node.op.endsWith('_') ? [] : [node];
  });
  return { ...program, nodes };
}

const isNorm = ({ op }: ProgramNode) => norms.includes(op);

const moduleOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf('.')));

function buffersIn({ args }: ProgramNode, buffers: ReadonlySet<string>): string[] {
  return Object.values(args).flatMap((argument) =>
    isReference(argument) && buffers.has(argument.value) ? [argument.value] : [],
  );
}
