import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';

/** How the server misbehaves; what is not said it does well. */
interface Manners {
  /** Only this token is let in. */
  readonly token?: string;
  /** The connection is cut after this many bytes of each answer of more. */
  readonly cutAfter?: number;
  /** The first byte of every large file is another. */
  readonly wrong?: boolean;
  /** Every file is answered with this status. */
  readonly status?: number;
  /** Ranges are ignored but for the first byte, which tells the size. */
  readonly noRanges?: boolean;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly range: string | undefined;
  readonly authorization: string | undefined;
}

export const COMMIT = 'c0ffee'.padEnd(40, '0');
const hex = (algorithm: string, ...parts: readonly (string | Uint8Array)[]): string =>
  parts.reduce<ReturnType<typeof createHash>>((hash, part) => hash.update(part), createHash(algorithm)).digest('hex');
const isLarge = (path: string): boolean => path.endsWith('.safetensors');
/** Name of a file's blob: what the hub gives as its ETag. */
export const blobName = (path: string, content: Uint8Array): string =>
  isLarge(path) ? hex('sha256', content) : hex('sha1', `blob ${content.byteLength}\0`, content);

/**
 * A server that speaks the routes of the HuggingFace hub for the model some/vit: information on a revision, its tree, and its
 * files, large ones by a redirect to another host name. It notes what it is asked.
 */
export async function hubServer(files: ReadonlyMap<string, Uint8Array>, manners: Manners = {}) {
  const requests: Request[] = [];
  const server = createServer((request, response) => {
    const {pathname: path} = new URL(request.url ?? '/', 'http://hub');
    const {range, authorization} = request.headers;
    requests.push({method: request.method ?? '', path, range, authorization});
    answer(request, response, path);
  });
  const json = (response: ServerResponse, status: number, value: unknown): void =>
    void response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(value));

  const absent = (response: ServerResponse): void =>
    void response.writeHead(404, {'x-error-code': 'EntryNotFound', 'x-repo-commit': COMMIT}).end();

  function answer(request: IncomingMessage, response: ServerResponse, path: string): void {
    const [, cdn] = /^\/cdn\/(.+)$/.exec(path) ?? [];
    if (cdn !== undefined) return send(request, response, cdn);
    if (manners.token && request.headers.authorization !== `Bearer ${manners.token}`)
      return json(response, 401, {error: 'Invalid username or password.'});
    if (/^\/api\/models\/some\/vit\/revision\/(main|v2|c0ffee0+)$/.test(path))
      return json(response, 200, {_id: '1', id: 'some/vit', sha: COMMIT, lastModified: '2026-01-01T00:00:00.000Z'});
    if (path === `/api/models/some/vit/tree/${COMMIT}`) return json(response, 200, tree());
    const [, file] = new RegExp(`^/some/vit/resolve/(?:main|${COMMIT})/(.+)$`).exec(path) ?? [];
    if (file === undefined) return json(response, 404, {error: 'Repository not found'});
    if (!isLarge(file)) return send(request, response, file);
    const whole = files.get(file);
    if (whole === undefined) return absent(response);
    response
      .writeHead(302, {
        location: `http://localhost:${port()}/cdn/${file}`,
        'x-repo-commit': COMMIT,
        'x-linked-etag': `"${blobName(file, whole)}"`,
        'x-linked-size': whole.byteLength,
      })
      .end();
  }

  const tree = () => [
    {type: 'directory', path: 'checkpoints', size: 0, oid: '0'.repeat(40)},
    ...[...files].map(([path, content]) => ({
      type: 'file',
      path,
      size: content.byteLength,
      ...(isLarge(path)
        ? {oid: '1'.repeat(40), lfs: {oid: blobName(path, content), size: content.byteLength, pointerSize: 134}}
        : {oid: blobName(path, content)}),
    })),
  ];

  function send({headers}: IncomingMessage, response: ServerResponse, path: string): void {
    const whole = files.get(path);
    if (whole === undefined) return absent(response);
    if (manners.status !== undefined) return json(response, manners.status, {error: 'not now'});
    const [, begin, end] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
    const asked = begin !== undefined && end !== undefined && (!manners.noRanges || end === '0');
    const from = asked ? Number(begin) : 0;
    const content = Buffer.from(whole.subarray(from, asked ? Number(end) + 1 : undefined));
    if (manners.wrong && isLarge(path) && from === 0) content.writeUInt8(content.readUInt8(0) ^ 1, 0);
    response.writeHead(asked ? 206 : 200, {
      etag: `"${blobName(path, whole)}"`,
      'x-repo-commit': COMMIT,
      'content-length': content.byteLength,
      ...(asked && {'content-range': `bytes ${from}-${from + content.byteLength - 1}/${whole.byteLength}`}),
    });
    const {cutAfter = content.byteLength} = manners;
    if (content.byteLength <= cutAfter) response.end(content);
    else response.write(content.subarray(0, cutAfter), () => response.destroy());
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = (): number => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  };
  return {
    url: `http://127.0.0.1:${port()}`,
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
