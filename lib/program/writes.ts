// Finds the calls of a program that write into tensors that outlive a step.
import { isReference, outputNames, type ProgramNode, valueNames } from './program';

/** Operators that return their first argument's memory. */
const views = new Set(
  'alias detach view view_as reshape contiguous to movedim select slice narrow squeeze unsqueeze expand transpose t permute flatten'
    .split(' ')
    .map((name) => `aten::${name}`),
);

/** A call, and the tensor that it writes into. */
export interface Write {
  readonly node: ProgramNode;
  readonly name: string;
}

/** The calls that change one of the values `of` in place, by its own name or by that of a view of it. */
export function writesInto(nodes: readonly ProgramNode[], of: ReadonlySet<string>): Write[] {
  const owners = new Map([...of].map((name) => [name, name]));
  const found: Write[] = [];
  for (const node of nodes) {
    const { op, args } = node;
    for (const [i, operand] of valueNames(args.operands ?? null).entries()) {
      const owner = owners.get(operand);
      if (owner === undefined || !node.branches) continue;
      for (const { inputs } of Object.values(node.branches)) owners.set(inputs[i]!, owner);
    }
    const owner = isReference(args.self) ? owners.get(args.self.value) : undefined;
    if (owner === undefined) continue;
    const isInPlace = /[^_]_$/.test(op);
    if (isInPlace) found.push({ node, name: owner });
    if (isInPlace || views.has(op)) for (const output of outputNames(node)) owners.set(output, owner);
  }
  return found;
}

/** The normalisations that keep running statistics in tensors with these names while they train. */
export function statisticsIn(nodes: readonly ProgramNode[], tensors: ReadonlySet<string>): Write[] {
  return nodes.flatMap((node) => {
    const { running_mean: mean, training, use_input_stats: usesInput } = node.args;
    const isKept = isReference(mean) && tensors.has(mean.value) && training !== false && usesInput !== false;
    return isKept ? [{ node, name: mean.value }] : [];
  });
}
