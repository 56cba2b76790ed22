// A question that a person answers with yes or no.
import { createInterface } from 'node:readline';
import { printableLines } from '../core/printable';
import { wrongUsage } from './arguments';

/** True for yes, which is what an empty line means too. Throws where nobody can be asked. */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY || !stderr.isTTY)
    throw wrongUsage(`Expected --yes, because there is no terminal to ask on: ${question.replaceAll('\n', ' ')}`);
  // Not a terminal to readline: it would take Ctrl-C for itself.
  const lines = createInterface({ input: stdin, terminal: false });
  stderr.write(`${printableLines(question)} [Y/n] `);
  const answered = new AbortController();
  try {
    const answer = await new Promise<string | null>((resolve) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(null));
      const leave = () => {
        // At once: it ends the question's line before anything else is said.
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
