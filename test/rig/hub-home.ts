import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, onTestFinished, vi} from 'vitest';
import {digestOfFile} from '../../src/base/digested-files.ts';
import {resolveCheckpoint} from '../../stages/lib/source-checkpoint.ts';
import {fixture} from './checkpoints.ts';
import {hubServer} from './hub-server.ts';

/** The files of a model without a preprocessor. */
export const FILES = new Map(
  ['config.json', 'model.safetensors'].map((name) => [
    name,
    new Uint8Array(readFileSync(join(fixture('p4-32'), name))),
  ]),
);
const PREPROCESSOR = ['preprocessor_config.json', Buffer.from('{"size": 32}')] as const;
export const WITH_PREPROCESSOR: ReadonlyMap<string, Uint8Array> = new Map([...FILES, PREPROCESSOR]);

const VARIABLES = [
  'HF_HUB_CACHE',
  'HUGGINGFACE_HUB_CACHE',
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'HF_TOKEN_PATH',
  'HF_HUB_DISABLE_IMPLICIT_TOKEN',
  'HF_HUB_OFFLINE',
  'HF_ENDPOINT',
];

/** An HF_HOME of each test's own, with nothing in it and no other variable of the hub's set. */
export function hubHome() {
  let home = '';
  const told: string[] = [];
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'basin-hub-'));
    for (const name of VARIABLES) vi.stubEnv(name, undefined);
    vi.stubEnv('HF_HOME', home);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(home, {recursive: true});
  });
  return {
    /** What the last `find` told. */
    told,
    path: (...parts: readonly string[]): string => join(home, ...parts),
    /** A path in the folder of some/vit in the cache. */
    cached: (...parts: readonly string[]): string => join(home, 'hub', 'models--some--vit', ...parts),
    /** Serves some/vit, and is the hub from now on. */
    async serve(...args: Parameters<typeof hubServer>) {
      const server = await hubServer(...args);
      onTestFinished(() => server.close());
      vi.stubEnv('HF_ENDPOINT', `${server.url}/`);
      return server;
    },
    find(source: string, mayDownload = true) {
      told.length = 0;
      return resolveCheckpoint(source, {folder: home, digestOfFile, mayDownload, tell: (line) => told.push(line)});
    },
  };
}
