// Interrupts of the command line: the first asks for a clean stop, the second gets the system's own treatment.

/** Exit code of a process that was interrupted, as shells have it. */
export const interrupted = 130;

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Calls `stop` at the first SIGINT or SIGTERM. Returns what takes the handlers away again. */
export function onInterrupt(stop: (signal: string) => void): () => void {
  const handle = (signal: string) => {
    forget();
    stop(signal);
  };
  const forget = () => {
    for (const signal of signals) process.off(signal, handle);
  };
  for (const signal of signals) process.on(signal, handle);
  return forget;
}
