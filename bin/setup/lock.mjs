import {createHash} from 'node:crypto';
import {realpath} from 'node:fs/promises';
import {createServer} from 'node:net';

const RETRY_MS = 200;

const listening = (address) =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(server));
  });

/**
 * Runs `work` while no other set-up of the same checkout does. The lock is a listening socket whose name is made from the
 * checkout's path, so the kernel frees it however its holder ends, and nothing is left on disk: in Linux's abstract
 * namespace, elsewhere a loopback port.
 */
export async function whileLocked(root, onWait, work) {
  const digest = createHash('sha256')
    .update(await realpath(root))
    .digest();
  const address =
    process.platform === 'linux'
      ? {path: `\0basin-setup-${process.getuid?.() ?? 0}-${digest.toString('hex').slice(0, 32)}`}
      : {host: '127.0.0.1', port: 49152 + (digest.readUInt16BE(0) % 16384), exclusive: true};
  let server = await listening(address);
  if (!server) onWait();
  while (!server) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    server = await listening(address);
  }
  try {
    return await work();
  } finally {
    server.close();
  }
}
