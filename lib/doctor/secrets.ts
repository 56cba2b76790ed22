// Takes out of a report what must not stand in public: passwords, and where the user's home is.

/** Credentials in addresses, `https://user:password@host`. */
export function masked(text: string): string {
  return text.replace(/\/\/[^/\s]+@/g, '//***@');
}

/** Values of variables: also all of those that are secrets by their names, and passwords in `user:password@host:port`. */
export function maskedVariable(name: string, value: string): string {
  if (/TOKEN|SECRET|PASSW|CREDENTIAL|API_?KEY/i.test(name)) return '***';
  if (/_proxy$/i.test(name) && !/^no_/i.test(name)) return masked(value).replace(/^[^/\s]+@/, '***@');
  return masked(value);
}

/** The user's home folder as ~. */
export function withoutHome(text: string, home: string): string {
  if (home.length < 2) return text;
  const escaped = home.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return text.replace(new RegExp(`${escaped}(?=[/\\s:,;)'"]|$)`, 'g'), '~');
}
