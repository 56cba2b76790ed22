// Finds the user's home folder, which may be unknown: a container's user may have neither an entry in the system's list nor
// HOME.
import os from 'node:os';
import path from 'node:path';

/** Returns null if it is unknown. A relative path is ignored: the current folder would decide which libraries are loaded. */
export function homeFolder(): string | null {
  try {
    const home = os.homedir();
    return path.isAbsolute(home) ? home : null;
  } catch {
    return null;
  }
}
