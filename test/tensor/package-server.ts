import {createHash} from 'node:crypto';
import {createServer, type Server} from 'node:http';
import {createRequire} from 'node:module';
import {onTestFinished} from 'vitest';

const require = createRequire(import.meta.url);
// A zip writer of other hands: it comes with tfjs-node-gpu.
const AdmZip: new () => {addFile(name: string, content: Buffer): void; toBuffer(): Buffer} = createRequire(
  require.resolve('@tensorflow/tfjs-node-gpu'),
)('adm-zip');

/** A zip archive of these files. */
export function zipOf(files: Readonly<Record<string, Buffer | string>>): Buffer {
  const zip = new AdmZip();
  for (const [name, content] of Object.entries(files)) zip.addFile(name, Buffer.from(content));
  return zip.toBuffer();
}

// An unknown Python tag, so that none of the digests in the code apply.
const WHEEL_NAME = `tensorflow_cpu-2.21.0-cp399-cp399-manylinux_2_27_${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.whl`;

/** A package index on this machine that offers one wheel; `digest` is what it says of it, `stall` never ends the download. */
export async function serveWheel(options: {
  readonly wheel: Buffer;
  readonly digest?: string;
  readonly form?: 'json' | 'html';
  readonly stall?: () => void;
}): Promise<string> {
  const {wheel, form = 'json', stall} = options;
  const sha256 = options.digest ?? createHash('sha256').update(wheel).digest('hex');
  const server: Server = createServer((request, response) => {
    if (request.url?.endsWith('.whl')) {
      response.writeHead(200, {'content-length': wheel.length});
      if (!stall) return void response.end(wheel);
      response.write(wheel.subarray(0, wheel.length >> 1), stall);
    } else if (form === 'json') {
      response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
      const file = {filename: WHEEL_NAME, url: `../../files/${WHEEL_NAME}`, hashes: {sha256}};
      response.end(JSON.stringify({files: [{...file, filename: 'tensorflow_cpu-2.21.0.tar.gz'}, file]}));
    } else {
      response.setHeader('content-type', 'text/html');
      response.end(`<html><a href="/files/${WHEEL_NAME}#sha256=${sha256}">${WHEEL_NAME}</a></html>`);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Internal error: a server without a port');
  return `http://127.0.0.1:${address.port}/simple`;
}
