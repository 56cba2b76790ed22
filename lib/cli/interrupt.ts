// Handles interrupts: the first requests a clean stop, the second has the system's default effect.

/** Exit code of an interrupted process, as in shells. */
export const interrupted = 130;

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Calls `stop` at the first SIGINT or SIGTERM. Returns a function that removes the handlers. */
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
