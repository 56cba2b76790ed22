// Takes out of a report what must not stand in public: passwords, and where the user's home is.
import type { Machine } from './machine';

/** Credentials in addresses, `https://user:password@host`, and queries, which may be tokens. */
export function masked(text: string): string {
  return text.replace(/\/\/[^/\s]+@/g, '//***@').replace(/(\/\/[^\s?#]+)[?#]\S+/g, '$1?***');
}

/** Values of variables: also all of those that are secrets by their names, and passwords in `user:password@host:port`. */
export function maskedVariable(name: string, value: string): string {
  if (/TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY/i.test(name)) return '***';
  if (/_proxy$/i.test(name) && !/^no_/i.test(name)) return masked(value).replace(/^[^/\s]+@/, '***@');
  return masked(value);
}

/** The user's home folder as it is named, and where it really is; the longer first, as it may end like the other. */
export function homesOf({ home, realPath }: Pick<Machine, 'home' | 'realPath'>): string[] {
  if (home === null) return [];
  return [...new Set([home, realPath(home)])].filter((name) => name.length > 1).sort((a, b) => b.length - a.length);
}

/** The user's home folder as ~. */
export function withoutHome(text: string, homes: readonly string[]): string {
  const escaped = homes.map((home) => home.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return escaped.reduce((rest, home) => rest.replace(new RegExp(`${home}(?=[/\\s:,;)'"]|$)`, 'g'), '~'), text);
}
