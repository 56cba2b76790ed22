// Other names for the values of a node.
import { type Argument, isList, isReference, type ListItem, type OutputName, type ProgramNode } from './program';

/** The node with other names for its values. */
export function renamed(step: ProgramNode, global: (local: string) => string): ProgramNode {
  const args = Object.fromEntries(
    Object.entries(step.args).map(([key, argument]) => [key, renamedArgument(argument, global)]),
  );
  const named = (name: OutputName) => (name === null ? null : global(name));
  const outputs = step.outputs.map((output) => (isNameList(output) ? output.map(named) : named(output)));
  return { ...step, args, outputs };
}

function renamedArgument(argument: Argument, global: (local: string) => string): Argument {
  const renamedItem = <Item extends Argument | ListItem>(item: Item) =>
    isReference(item) ? { value: global(item.value) } : item;
  return isList(argument) ? argument.map(renamedItem) : renamedItem(argument);
}

function isNameList(output: OutputName | readonly OutputName[]): output is readonly OutputName[] {
  return Array.isArray(output);
}
