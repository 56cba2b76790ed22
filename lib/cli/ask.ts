// Asks the user a question to be answered with yes or no.
import { createInterface } from 'node:readline';
import { printableLines } from '../core/printable';
import { wrongUsage } from './arguments';

/** Returns true for yes and for an empty line. Throws if there is no terminal. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY)
    throw wrongUsage(`Expected --yes, because there is no terminal to ask on: ${question.replaceAll('\n', ' ')}`);
  // terminal: false, because readline would otherwise handle Ctrl-C itself.
  const lines = createInterface({ input: stdin, terminal: false });
  stderr.write(`${printableLines(question)} [Y/n] `);
  const answered = new AbortController();
  try {
    const answer = await new Promise<string | null>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(null));
      const leave = () => {
        // Ends the question's line before anything else is printed.
        stderr.write('\n');
        resolve(null);
      };
      signal.addEventListener('abort', leave, { signal: answered.signal });
    });
    signal.throwIfAborted();
    if (answer === null) stderr.write('\n');
    return answer !== null && /^\s*(y|yes)?\s*$/i.test(answer);
  } finally {
    answered.abort();
    lines.close();
  }
}
