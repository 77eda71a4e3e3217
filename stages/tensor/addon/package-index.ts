import {createHash} from 'node:crypto';
import {createWriteStream} from 'node:fs';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {pipeline} from 'node:stream/promises';
import {getCACertificates, setDefaultCACertificates} from 'node:tls';
import {fail, ok, type Result} from '../../../src/base/result.ts';
import type {Edition, SetupReporter} from '../backend.ts';
import {TENSORFLOW_VERSION} from '../versions.ts';
import {chosenIndex} from './pip-index.ts';
import {KNOWN_WHEELS, TENSORFLOW_WHEELS, wheelMachine} from './wheel-identity.ts';

interface IndexFile {
  readonly filename: string;
  readonly url: string;
  readonly sha256: string;
}

function filesOfJson(text: string, base: string): IndexFile[] {
  const page: unknown = JSON.parse(text);
  if (typeof page !== 'object' || !page || !('files' in page) || !Array.isArray(page.files)) return [];
  return page.files.flatMap((file: unknown) => {
    if (typeof file !== 'object' || !file || !('filename' in file) || !('url' in file) || !('hashes' in file))
      return [];
    const {filename, url, hashes} = file;
    if (typeof filename !== 'string' || typeof url !== 'string' || typeof hashes !== 'object' || !hashes) return [];
    const sha256 = 'sha256' in hashes && typeof hashes.sha256 === 'string' ? hashes.sha256 : undefined;
    return sha256 ? [{filename, url: new URL(url, base).href, sha256}] : [];
  });
}

/** Files of a project on an index, from either form of the simple API (PEP 691 and PEP 503). */
function indexFiles(text: string, contentType: string, base: string): readonly IndexFile[] {
  if (contentType.includes('json')) return filesOfJson(text, base);
  return [...text.matchAll(/href="([^"#]+)#sha256=([0-9a-f]{64})"/g)].flatMap(([, href = '', sha256 = '']) => {
    const {href: url, pathname} = new URL(href.replaceAll('&amp;', '&'), base);
    return [{filename: decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1)), url, sha256}];
  });
}

const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}, ${error.cause.message}` : error.message;
};

/**
 * Downloads TensorFlow's wheel for this machine over HTTPS and checks its SHA-256 against ours where we know the file,
 * else against the index's. The index is the one that the user has chosen for pip; basin names none of its own.
 */
export async function downloadFromIndex(
  edition: Edition,
  folder: string,
  report: SetupReporter,
): Promise<Result<string, string>> {
  const index = chosenIndex();
  if (index === undefined) return fail('no package index is set');
  const {project} = TENSORFLOW_WHEELS[edition];
  const base = `${index.replace(/\/+$/, '')}/${project}/`;
  // Behind a proxy that looks into TLS only the system's certificates know it.
  setDefaultCACertificates([...getCACertificates('default'), ...getCACertificates('system')]);
  try {
    const page = await fetch(base, {headers: {accept: 'application/vnd.pypi.simple.v1+json, text/html;q=0.5'}});
    if (!page.ok) return fail(`the package index answered ${page.status}`);
    const files = indexFiles(await page.text(), page.headers.get('content-type') ?? '', page.url);
    const start = `${project.replace('-', '_')}-${TENSORFLOW_VERSION}-`;
    const fitting = files.filter(
      ({filename}) =>
        filename.startsWith(start) && filename.includes('manylinux') && filename.endsWith(`_${wheelMachine()}.whl`),
    );
    const file = fitting.find(({filename}) => KNOWN_WHEELS[filename]) ?? fitting[0];
    if (!file)
      return fail(`the package index has no ${project} ${TENSORFLOW_VERSION} for ${process.platform} ${process.arch}`);
    const response = await fetch(file.url);
    if (!response.ok || !response.body) return fail(`the download was answered ${response.status}`);
    const total = Number(response.headers.get('content-length'));
    const hash = createHash('sha256');
    let done = 0;
    const path = join(folder, file.filename);
    await pipeline(
      Readable.fromWeb(response.body),
      async function* (source: AsyncIterable<Uint8Array>) {
        for await (const bytes of source) {
          hash.update(bytes);
          done += bytes.length;
          report.progress('Downloading TensorFlow', total ? done / total : undefined);
          yield bytes;
        }
      },
      createWriteStream(path),
    );
    const wanted = KNOWN_WHEELS[file.filename] ?? file.sha256;
    return hash.digest('hex') === wanted
      ? ok(path)
      : fail('the downloaded file is not the published one (SHA-256 differs)');
  } catch (error) {
    return fail(reasonOf(error));
  }
}
