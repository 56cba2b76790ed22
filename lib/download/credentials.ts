// A user and password that stand in an address, `https://user:password@host`: sent to that server alone, and shown to nobody.
import querystring from 'node:querystring';

/** For people to read; also of what turned out to be no address. */
export function withoutCredentials(address: string): string {
  if (!URL.canParse(address)) return address.replace(/\/\/.*@/s, '//');
  const url = new URL(address);
  if (url.username === '' && url.password === '') return address;
  url.username = url.password = '';
  return url.href;
}

/** As the header that fetch() takes them in, and leaves out where another server is led to; undefined where there are none. */
export function authorizationOf(address: string): string | undefined {
  const { username, password } = new URL(address);
  if (username === '' && password === '') return undefined;
  const pair = [username, password].map((text) => querystring.unescape(text)).join(':');
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
