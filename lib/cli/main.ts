#!/usr/bin/env node
import { nearest } from '../core/checks';
// The command line: finds the command, reads its arguments, runs it, and turns its result into an exit code.
import { LearnError, messageOf } from '../core/errors';
import { printableLines } from '../core/printable';
import { readArguments, wrongUsage } from './arguments';
import type { Listed } from './command';
import { commandHelp, groupHelp, mainHelp } from './help';
import { interrupted, onInterrupt } from './interrupt';
import { errorColors, openTerminal } from './terminal';

// A new command is a file in commands/ and a line here. Commands are loaded when they are called, to keep the others fast.
const commands: readonly Listed[] = [
  { name: 'demo', summary: 'See it work, on data that it makes itself', load: () => import('./commands/demo.js') },
  { name: 'train', summary: 'Train a checkpoint on new data', load: () => import('./commands/train.js') },
  { name: 'online', summary: 'Keep a model learning from a stream', load: () => import('./commands/online.js') },
  { name: 'evaluate', summary: 'Score a checkpoint on test data', load: () => import('./commands/evaluate.js') },
  { name: 'inspect', summary: 'Show what a checkpoint holds', load: () => import('./commands/inspect.js') },
  { name: 'extend', summary: 'Give a classifier more classes', load: () => import('./commands/extend.js') },
  { name: 'average', summary: 'Average the weights of checkpoints', load: () => import('./commands/average.js') },
  { name: 'versions', summary: "Show an online learner's versions", load: () => import('./commands/versions.js') },
  { name: 'repair', summary: 'Repair the folder of an online learner', load: () => import('./commands/repair.js') },
  { name: 'libtorch', summary: 'Install and choose builds of libtorch', load: () => import('./commands/libtorch.js') },
  { name: 'build', summary: 'Compile the addon on this machine', load: () => import('./commands/build.js') },
  // Its exit code 1 means that everything works, with warnings.
  { name: 'doctor', summary: 'Check this installation', failed: 2, load: () => import('./commands/doctor.js') },
];

const exitCodes = { wrongUsage: 2, interrupted };

async function main([word, ...args]: readonly string[]): Promise<number> {
  const stop = new AbortController();
  let failed = 1;
  const terminal = openTerminal((error) => {
    stop.abort();
    if (error.code === 'EPIPE') return;
    terminal.note(errorText(new LearnError('ERR_FILE', `Cannot write to standard output: ${messageOf(error)}`)));
    process.exitCode = failed;
  });
  if (word === '--help' || word === '-h') {
    terminal.print(mainHelp(commands));
    return 0;
  }
  if (word === '--version' || word === '-v') {
    terminal.print(require('../../package.json').version);
    return 0;
  }
  if (word === undefined) {
    terminal.note(mainHelp(commands));
    return exitCodes.wrongUsage;
  }
  let hint = 'npx torch-incremental --help';
  const forget = onInterrupt((signal) => {
    // First, because the abort ends the line of a progress bar.
    stop.abort();
    terminal.note(`${signal}: stopping after the current step; interrupt again to stop at once`);
  });
  try {
    const listed = find(word, commands);
    failed = listed.failed ?? failed;
    let { command } = await listed.load();
    hint = `npx torch-incremental ${command.name} --help`;
    if ('commands' in command) {
      const group = command;
      const inner = args.shift();
      if (inner === undefined || inner === '--help' || inner === '-h') {
        terminal[inner ? 'print' : 'note'](groupHelp(group));
        return inner ? 0 : exitCodes.wrongUsage;
      }
      ({ command } = await find(inner, group.commands).load());
      if ('commands' in command) throw new Error(`${command.name} has no commands of its own`);
      hint = `npx torch-incremental ${command.name} --help`;
    }
    const { argument, more, options, help } = readArguments(command, args);
    if (help) {
      terminal.print(commandHelp(command));
      return 0;
    }
    return await command.run(argument, options, { terminal, signal: stop.signal, more });
  } catch (error) {
    // A failure after the interrupt, such as of the last checkpoint, is still a failure.
    if (stop.signal.aborted && !(error instanceof LearnError)) {
      if (!terminal.readerGone) terminal.note('Interrupted; nothing was written');
      return exitCodes.interrupted;
    }
    terminal.note(errorText(error));
    if ((error as { code?: unknown }).code !== 'ERR_INVALID_OPTION') return failed;
    terminal.note(`See: ${hint}`);
    return exitCodes.wrongUsage;
  } finally {
    forget();
  }
}

function find(word: string, listed: readonly Listed[]): Listed {
  const found = listed.find(({ name }) => name === word);
  if (found) return found;
  const names = listed.map(({ name }) => name);
  const suggestion = nearest(word, names);
  const what = word.startsWith('-') ? `Expected a command before ${word}` : `Unknown command '${word}'`;
  throw wrongUsage(`${what}; ${suggestion ? `did you mean ${suggestion}?` : `there are ${names.join(', ')}`}`);
}

/** Formats an error by its message. An error without a code is a bug in this program, so its stack is printed. */
function errorText(error: unknown): string {
  const { red, bold } = errorColors();
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return `${red(bold(`error[${code}]:`))} ${printableLines(messageOf(error))}`;
  const stack = (error instanceof Error && error.stack) || messageOf(error);
  return `${red(bold('unexpected error:'))} ${printableLines(stack)}`;
}

main(process.argv.slice(2)).then((code) => {
  // The exit code may already be set, if standard output could not be written.
  process.exitCode ??= code;
});
