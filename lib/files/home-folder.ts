// The user's home folder, which may not be known: a container's user need have no entry in the system's list and no HOME.
import os from 'node:os';
import path from 'node:path';

/** null where nothing tells it. A relative one is none: the current folder would decide what is loaded. */
export function homeFolder(): string | null {
  try {
    const home = os.homedir();
    return path.isAbsolute(home) ? home : null;
  } catch {
    return null;
  }
}
