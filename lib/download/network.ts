// fetch() as a command-line tool needs it: through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, which Node's
// own does not look at. Loaded by whoever downloads, and by nobody else.
import type { fetch } from 'undici';

export interface Network {
  readonly fetch: typeof fetch;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

export async function openNetwork(env: NodeJS.ProcessEnv = process.env): Promise<Network> {
  const { EnvHttpProxyAgent, fetch } = await import('undici');
  const [httpProxy, httpsProxy] = ['http_proxy', 'https_proxy'].map((name) => withScheme(proxyOf(env, name)));
  const dispatcher = new EnvHttpProxyAgent({
    ...(httpProxy && { httpProxy }),
    ...(httpsProxy && { httpsProxy }),
    // Of http: URLs the proxy is asked as such: many let CONNECT through to port 443 only.
    proxyTunnel: false,
  });
  return {
    fetch: (url, init) => fetch(url, { ...init, dispatcher }),
    close: () => dispatcher.destroy(),
  };
}

/** As curl has it: lower case first. */
function proxyOf(env: NodeJS.ProcessEnv, name: string): string | undefined {
  return env[name] ?? env[name.toUpperCase()];
}

/** Shells are often told of a proxy as `host:port`, which is no URL. */
function withScheme(proxy: string | undefined): string | undefined {
  return proxy && !/^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? `http://${proxy}` : proxy;
}
