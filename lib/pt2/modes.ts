// Training and evaluation of one exported program.
//
// An exported program does what its module did at export, which is training if it was exported as torch.nn modules are made. Calls
// that differ between net.train() and net.eval() become calls of both modes by these rules:
//
//  1. The flags `train` and `training` are the run's mode where they are true, except in a batch norm without running statistics, which
//     takes those of the batch in both modes. So is `use_input_stats` of an instance norm that has running statistics.
//  2. Attention that drops out has the probability 0 in evaluation.
//  3. The counts of batches, `num_batches_tracked`, are kept in training only.
//  4. A module that drops paths (DropPath, StochasticDepth) returns its input in evaluation.
//
// Calls that draw or write into buffers in other ways may be wanted in evaluation or not, which the program does not say: it then needs a
// second program, exported in evaluation mode.
import { own } from '../core/checks';
import { frozen } from '../core/family';
import { value } from '../program/module';
import { type Branch, everyNode, isReference, outputNames, type ProgramNode, valueNames } from '../program/program';
import { writesInto } from '../program/writes';
import type { FlatNode } from './flat-nodes';
import { mapInTurns } from './turns';

export interface Modes {
  readonly nodes: readonly ProgramNode[];
  /** The reason why evaluation cannot be derived: what a call does. */
  readonly obstacle?: string;
  /** True if the program has flags and all are false: its module was exported by net.eval(). */
  readonly isEvaluation: boolean;
}

const flags = ['train', 'training'];

const draws = new Set(
  'bernoulli bernoulli_ rand rand_like randn randn_like randint randint_like randperm multinomial normal normal_ uniform_ exponential_ random_'
    .split(' ')
    .map((name) => `aten::${name}`),
);

/** Makes a program that trains into one of both modes. `kept`: buffers and constants, which outlive a step. */
export async function inBothModes(flat: readonly FlatNode[], kept: ReadonlySet<string>): Promise<Modes> {
  const numbers = new Set(flat.flatMap(({ node }) => (isOfNumbers(node) ? outputNames(node) : [])));
  const split = (run: FlatNode[]) => {
    const passing = passedOn(run, numbers);
    return { run, passing, nodes: frozen(passing ?? run.flatMap(({ node }) => bothOf(node))) };
  };
  const parts = await mapInTurns(runsOf(flat), split, undefined);
  const nodes = parts.flatMap((part) => part.nodes);
  const others = everyNode(parts.flatMap(({ run, passing }) => (passing ? [] : run.map(({ node }) => node))));
  const obstacle = drawing(others) ?? writing(others, kept);
  const found = flat.flatMap(({ node }) =>
    flags.map((flag) => node.args[flag]).filter((arg) => typeof arg === 'boolean'),
  );
  const isEvaluation = found.length > 0 && !found.includes(true);
  if (obstacle === undefined) return { nodes, isEvaluation };
  return { nodes: inMode(flat, 'training'), obstacle, isEvaluation };
}

/** The nodes as they are, in one mode. */
export function inMode(flat: readonly FlatNode[], only: 'training' | 'evaluation'): ProgramNode[] {
  const marked = (node: ProgramNode): ProgramNode => ({ ...withBranches(node, (nodes) => nodes.map(marked)), only });
  return flat.map(({ node }) => marked(node));
}

/** The node with other nodes in its branches, if it has any. */
function withBranches(
  node: ProgramNode,
  change: (nodes: readonly ProgramNode[]) => readonly ProgramNode[],
): ProgramNode {
  const branches = own(node, 'branches');
  if (!branches) return node;
  const changed = (branch: Branch) => ({ ...branch, nodes: change(branch.nodes) });
  return { ...node, branches: { whenTrue: changed(branches.whenTrue), whenFalse: changed(branches.whenFalse) } };
}

/** Neighbouring nodes of one call of a module. */
function runsOf(flat: readonly FlatNode[]): FlatNode[][] {
  const runs: FlatNode[][] = [];
  for (const one of flat) {
    const last = runs.at(-1);
    if (last && one.module !== undefined && last[0]!.module === one.module) last.push(one);
    else runs.push([one]);
  }
  return runs;
}

/** Whether it computes sizes and other numbers. */
function isOfNumbers({ op }: ProgramNode): boolean {
  return op.startsWith('aten::sym_') || op.startsWith('scalar::');
}

function isPathDropping({ module }: FlatNode): boolean {
  return module !== undefined && /(DropPath|StochasticDepth)$/.test(module.type);
}

/** Of a module that drops paths: in evaluation an alias of the only value that comes from outside. Sizes may be read later. */
function passedOn(run: readonly FlatNode[], numbers: ReadonlySet<string>): ProgramNode[] | undefined {
  if (!isPathDropping(run[0]!)) return undefined;
  const nodes = run.map(({ node }) => node);
  const made = new Set(nodes.flatMap(outputNames));
  const tensors = nodes.filter((node) => !isOfNumbers(node));
  const read = new Set(tensors.flatMap(({ args }) => Object.values(args).flatMap(valueNames)));
  const outside = [...read].filter((name) => !made.has(name) && !numbers.has(name));
  const last = tensors.at(-1)?.outputs[0];
  const draws = tensors.some(({ op }) => op.startsWith('aten::bernoulli') || op.startsWith('aten::rand'));
  if (!draws || outside.length !== 1 || typeof last !== 'string') return undefined;
  const alias: ProgramNode = { op: 'aten::alias', overload: '', args: { self: value(outside[0]!) }, outputs: [last] };
  return [
    ...nodes.map((node) => (isOfNumbers(node) ? node : { ...node, only: 'training' as const })),
    { ...alias, only: 'evaluation' },
  ];
}

function bothOf(node: ProgramNode): ProgramNode[] {
  const { op, args } = node;
  if (node.branches) return [withBranches(node, (nodes) => nodes.flatMap(bothOf))];
  if (op === 'aten::add_' && isReference(args.self) && /(^|\.)num_batches_tracked$/.test(args.self.value))
    return [{ ...node, only: 'training' }];
  const { dropout_p: probability } = args;
  if (probability !== undefined && !isZero(probability))
    return [
      { ...node, only: 'training' },
      { ...node, args: { ...args, dropout_p: { float: 0 } }, only: 'evaluation' },
    ];
  const hasStatistics = isReference(args.running_mean);
  const changed = Object.entries(args).filter(([name, given]) => {
    if (given !== true) return false;
    if (name === 'use_input_stats') return hasStatistics;
    return flags.includes(name) && (op !== 'aten::batch_norm' || hasStatistics);
  });
  if (changed.length === 0) return [node];
  const byMode = Object.fromEntries(changed.map(([name]) => [name, { run: 'training' } as const]));
  return [{ ...node, args: { ...args, ...byMode } }];
}

function isZero(argument: ProgramNode['args'][string]): boolean {
  return (
    argument === 0 || (typeof argument === 'object' && argument !== null && 'float' in argument && argument.float === 0)
  );
}

function drawing(nodes: readonly ProgramNode[]): string | undefined {
  const found = nodes.find(({ op }) => draws.has(op));
  return found && `${found.op} draws random numbers${placeOf(found)}`;
}

/** Batch norms write into their statistics in training only; that is no call of its own. */
function writing(nodes: readonly ProgramNode[], kept: ReadonlySet<string>): string | undefined {
  const found = writesInto(nodes, kept).find(({ name }) => !/(^|\.)num_batches_tracked$/.test(name));
  return found && `${found.node.op} changes "${found.name}"${placeOf(found.node)}`;
}

function placeOf({ place }: ProgramNode): string {
  return place ? ` in ${place}` : '';
}
