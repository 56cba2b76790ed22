// fetch() as a command-line tool needs it: through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, which Node's
// own does not look at. Loaded by whoever downloads, and by nobody else.
import type { Response } from 'undici';
import { LearnError } from '../core/errors';
import { authorizationOf, withoutCredentials } from './credentials';

export interface Network {
  /** A user and password may stand in the address. */
  fetch(url: string, init: { headers: Record<string, string>; signal: AbortSignal }): Promise<Response>;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

/** Throws where a variable names no proxy. */
export async function openNetwork(env: NodeJS.ProcessEnv = process.env): Promise<Network> {
  const [httpProxy, httpsProxy] = ['http_proxy', 'https_proxy'].map((name) => proxyOf(env, name));
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent({
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    // Of http: URLs the proxy is asked as such: many let CONNECT through to port 443 only.
    proxyTunnel: false,
  });
  return {
    fetch: (url, { headers, signal }) => {
      const authorization = authorizationOf(url);
      return fetch(withoutCredentials(url), {
        headers: { ...headers, ...(authorization && { authorization }) },
        signal,
        dispatcher,
      });
    },
    close: () => dispatcher.destroy(),
  };
}

/** As curl has it: lower case first. */
function proxyOf(env: NodeJS.ProcessEnv, lowerCase: string): string | undefined {
  const name = env[lowerCase] === undefined ? lowerCase.toUpperCase() : lowerCase;
  const proxy = withScheme(env[name]);
  if (proxy && !isProxy(proxy)) {
    throw new LearnError(
      'ERR_INVALID_OPTION',
      `Expected an address such as http://host:port in ${name}, with %25 for each % in its password, but received ` +
        `'${withoutCredentials(proxy)}'`,
    );
  }
  return proxy;
}

/** Shells are often told of a proxy as `host:port`, which is no URL. */
function withScheme(proxy: string | undefined): string | undefined {
  return proxy && !/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? `http://${proxy}` : proxy;
}

/** What undici takes. */
function isProxy(proxy: string): boolean {
  try {
    const { protocol, username, password } = new URL(proxy);
    decodeURIComponent(username + password);
    return /^(https?|socks5?):$/.test(protocol);
  } catch {
    return false;
  }
}
