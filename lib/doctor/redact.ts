// Removes from a report what must not be published: passwords, and the path of the user's home folder.
import type { Machine } from './machine';

/** Masks credentials in addresses, `https://user:password@host`, and queries, which may contain tokens. */
export function masked(text: string): string {
  return text.replace(/\/\/[^/\s]+@/g, '//***@').replace(/(\/\/[^\s?#]+)[?#]\S+/g, '$1?***');
}

/** As masked(), for the value of a variable. Also masks variables that are secrets by name, and `user:password@host:port`. */
export function maskedVariable(name: string, value: string): string {
  if (/TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY/i.test(name)) return '***';
  if (/_proxy$/i.test(name) && !/^no_/i.test(name)) return masked(value).replace(/^[^/\s]+@/, '***@');
  return masked(value);
}

/** Returns the user's home folder and its real path, the longer first, because it may contain the other. */
export function homesOf({ home, realPath }: Pick<Machine, 'home' | 'realPath'>): string[] {
  if (home === null) return [];
  return [...new Set([home, realPath(home)])].filter((name) => name.length > 1).sort((a, b) => b.length - a.length);
}

/** Replaces the user's home folder by ~. */
export function withoutHome(text: string, homes: readonly string[]): string {
  const escaped = homes.map((home) => home.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return escaped.reduce((rest, home) => rest.replace(new RegExp(`${home}(?=[/\\s:,;)'"]|$)`, 'g'), '~'), text);
}
