// Handles the user and password of an address, `https://user:password@host`: they are sent to that server only, and never
// printed.
import querystring from 'node:querystring';

/** Returns the address for messages. Also accepts a text that is not a valid address. */
export function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return address.replace(/\/\/.*@/s, '//');
  const url = new URL(address);
  if (url.username === '' && url.password === '') return address;
  url.username = url.password = '';
  return url.href;
}

/** Returns the Authorization header, which fetch() drops when it is redirected to another server; undefined without a user. */
export function authorizationOf(address: string): string | undefined {
  const { username, password } = new URL(address);
  if (username === '' && password === '') return undefined;
  const pair = [username, password].map((text) => querystring.unescape(text)).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
