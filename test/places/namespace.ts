import {execFileSync, spawnSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {BASIN, environment} from '../cli/basin.ts';

type Kind = 'mount' | 'net';

/** Root makes namespaces as it is; others as the root of a user namespace of their own, where the system allows that. */
const flags = (kind: Kind): readonly string[] =>
  process.getuid?.() === 0 ? [`--${kind}`] : ['--user', '--map-root-user', `--${kind}`];

function allows(kind: Kind, command: string): boolean {
  try {
    execFileSync('unshare', [...flags(kind), 'sh', '-c', command], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
}

const CAN: Readonly<Record<Kind, () => boolean>> = {
  mount: () => allows('mount', 'mount -t tmpfs -o size=64k none /mnt'),
  net: () => allows('net', 'true'),
};

/** Whether tests may have a namespace of a kind; why not is printed once. */
export function may(kind: Kind): boolean {
  const can = process.platform === 'linux' && CAN[kind]();
  if (!can) console.info(`Skipped: this system lets nobody but root make a ${kind} namespace.`);
  return can;
}

export interface Step {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Ends with 0 however the command ended, and keeps what it said. */
const PRELUDE = `set -eu
step() { name=$1; shift; code=0; "$@" >"$OUT/$name.out" 2>"$OUT/$name.err" || code=$?; echo "$code" >"$OUT/$name.code"; }
fill() { dd if=/dev/zero of="$PLACE/fill" bs=4k 2>/dev/null || true; truncate -s "-\${1}K" "$PLACE/fill"; }
`;

/**
 * Runs a shell script in a namespace of its own, so that its mounts or its lack of a network end with it. It finds `$BASIN`, an
 * empty folder `$PLACE` to mount on, a folder `$OUT` to leave things in, `step NAME COMMAND…`, and `fill N`, which leaves N KiB of `$PLACE`.
 */
export async function inNamespace(
  kind: Kind,
  cwd: string,
  script: string,
): Promise<{readonly out: string; step(name: string): Step}> {
  const out = join(cwd, 'out');
  const place = join(cwd, 'place');
  await mkdir(out, {recursive: true});
  await mkdir(place, {recursive: true});
  const env = {...environment(join(place, 'cache')), BASIN, OUT: out, PLACE: place};
  const ended = spawnSync('unshare', [...flags(kind), 'sh', '-c', `${PRELUDE}${script}`], {
    cwd,
    env,
    encoding: 'utf8',
  });
  if (ended.status !== 0) throw new Error(`The script ended with ${ended.status}: ${ended.stdout}${ended.stderr}`);
  const read = (name: string): string => readFileSync(join(out, name), 'utf8');
  return {
    out,
    step: (name) => ({code: Number(read(`${name}.code`)), stdout: read(`${name}.out`), stderr: read(`${name}.err`)}),
  };
}
