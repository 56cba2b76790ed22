// Sockets for peers: a Unix socket, or a port of the local machine.
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { LearnError } from '../../core/errors';

export interface Listening {
  /** For people. */
  name: string;
  server: net.Server;
}

export async function listen(
  at: { path: string } | { port: number },
  serve: (peer: net.Socket) => void,
): Promise<Listening> {
  // A peer that has sent its last line still reads the answers.
  const server = net.createServer({ allowHalfOpen: true }, serve);
  if ('path' in at) {
    await removeIfDead(at.path);
    // Only this user may connect, whatever the umask.
    const umask = process.umask(0o077);
    server.listen({ path: at.path });
    process.umask(umask);
  } else {
    server.listen({ port: at.port, host: '127.0.0.1' });
  }
  await once(server, 'listening');
  const address = server.address() as net.AddressInfo | string;
  return { server, name: typeof address === 'string' ? address : `${address.address}:${address.port}` };
}

/** Removes the socket of a killed process, on which nobody listens. */
async function removeIfDead(path: string): Promise<void> {
  const found = fs.lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket())
    throw new LearnError('ERR_FILE', `Cannot listen at ${path}: a file of another kind exists there`);
  const isDead = await new Promise<boolean>((resolve) => {
    const probe = net.connect(path, () => {
      probe.destroy();
      resolve(false);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
  if (isDead) fs.rmSync(path, { force: true });
}
