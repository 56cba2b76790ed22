// Provides a fetch() that uses the proxy in HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which Node's own ignores. undici is loaded
// only when something is downloaded.
import type { Response } from 'undici';
import { LearnError } from '../core/errors';
import { authorizationOf, withoutCredentials } from './credentials';

export interface Network {
  /** The address may contain a user and password. */
  fetch(url: string, init: { headers: Record<string, string>; signal: AbortSignal }): Promise<Response>;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

/** Throws if a variable holds an invalid proxy. */
export async function openNetwork(env: NodeJS.ProcessEnv = process.env): Promise<Network> {
  const [httpProxy, httpsProxy] = ['http_proxy', 'https_proxy'].map((name) => proxyOf(env, name));
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const dispatcher = new EnvHttpProxyAgent({
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    // http: URLs are requested from the proxy without a tunnel: many proxies allow CONNECT to port 443 only.
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

/** Reads a variable as curl does: the name in lower case first. */
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

/** Adds the scheme to `host:port`, a common form of these variables that is not a URL. */
function withScheme(proxy: string | undefined): string | undefined {
  return proxy && !/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? `http://${proxy}` : proxy;
}

/** Whether undici accepts the proxy. */
function isProxy(proxy: string): boolean {
  try {
    const { protocol, username, password } = new URL(proxy);
    decodeURIComponent(username + password);
    return /^(https?|socks5?):$/.test(protocol);
  } catch {
    return false;
  }
}
