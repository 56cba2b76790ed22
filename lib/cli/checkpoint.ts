// Selects the part of a checkpoint that a command works on.
import { loadState } from '../state/load';
import type { State } from '../state/state';
import { text } from './command';

export const checkpointOptions = {
  key: text('name', 'Dict of a training checkpoint, such as model or ema.shadow'),
  stripPrefix: text('prefix', 'Remove this prefix from names; auto: the prefixes of wrappers'),
};

interface Choice {
  key?: string | undefined;
  stripPrefix?: string | undefined;
}

/**
 * Calls `use` with the state that the options choose, or with the path if there are no such options. `source`: a path, or weights that
 * are freed afterwards.
 */
export async function withSource<T>(
  source: string | State,
  { key, stripPrefix }: Choice,
  signal: AbortSignal,
  use: (source: string | State) => Promise<T>,
): Promise<T> {
  const isChosen = key !== undefined || stripPrefix !== undefined;
  if (typeof source === 'string' && !isChosen) return use(source);
  const state = typeof source === 'string' ? await loadChosen(source, { key, stripPrefix }, signal) : source;
  try {
    return await use(state);
  } finally {
    state.dispose();
  }
}

/** The state that the options choose. */
export function loadChosen(file: string, { key, stripPrefix }: Choice, signal: AbortSignal): Promise<State> {
  const choice = { ...(key !== undefined && { key }), ...(stripPrefix !== undefined && { stripPrefix }) };
  return loadState(file, { ...choice, signal });
}
