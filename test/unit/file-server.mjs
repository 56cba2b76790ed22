// A server and a proxy on this machine, for tests of what is downloaded: they write down what they were asked.
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import querystring from 'node:querystring';
import { setTimeout as sleep } from 'node:timers/promises';

/** Serves the buffers in `files` by their paths, and ranges of them. `answers` by path come first, each for one request. */
export class FileServer {
  files = new Map();
  answers = new Map();
  /** `/name bytes=5-` or `/name whole`. */
  requests = [];
  #server;

  async start() {
    this.#server = http.createServer((request, response) => {
      const name = querystring.unescape(request.url);
      this.requests.push(`${name} ${request.headers.range ?? 'whole'}`);
      const answer = this.answers.get(name)?.shift() ?? serve(this.files.get(name));
      answer(request, response);
    });
    await listen(this.#server);
    return this;
  }

  url(name = '') {
    return `http://127.0.0.1:${this.#server.address().port}${name.split('/').map(encodeURIComponent).join('/')}`;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }
}

/** As a good server does it. */
export function serve(body) {
  return (request, response) => {
    if (!body) return response.writeHead(404).end('<html>no</html>');
    const start = startOf(request);
    if (start > 0 && start >= body.length)
      return response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end();
    writeHead(response, start, body);
    response.end(body.subarray(start));
  };
}

/**
 * Sends the body up to there, and drops the connection once the client has all of it in the file `part`: what it has not read
 * by then it may never see.
 */
export function cutAfter(body, count, part) {
  return async (request, response) => {
    const start = startOf(request);
    writeHead(response, start, body);
    response.write(body.subarray(start, count));
    while (!response.destroyed && !(fs.statSync(part, { throwIfNoEntry: false })?.size >= count)) await sleep(5);
    response.destroy();
  };
}

/** Of the range that is asked for. */
const startOf = (request) => Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);

function writeHead(response, start, body) {
  const range = start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` };
  response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length - start, ...range });
}

/** Sends the first bytes and no more. `then` is called once they are sent. */
export function silentAfter(body, count, then = () => {}) {
  return (_, response) => {
    response.writeHead(200, { 'content-length': body.length });
    response.write(body.subarray(0, count), then);
  };
}

export function status(code, headers = {}) {
  return (_, response) => response.writeHead(code, headers).end('<html>no</html>');
}

/** A proxy that passes everything on to `port` of this machine, whatever the name of the server that is asked for. */
export async function startProxy(port) {
  const requests = [];
  const server = http.createServer((request, response) => {
    const { pathname } = new URL(request.url);
    requests.push(`${request.method} ${request.url}`);
    const options = { port, path: pathname, method: request.method, headers: request.headers };
    request.pipe(
      http.request(options, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  server.on('connect', (request, socket) => {
    requests.push(`CONNECT ${request.url}`);
    const upstream = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => {});
  });
  await listen(server);
  return {
    requests,
    address: `127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
}
