import {readdirSync, readFileSync, readlinkSync} from 'node:fs';

/**
 * Ends what a program left behind outside of its process group: on Linux, every process that works in its folder. One that went elsewhere
 * too, as a daemon does, cannot be told from others.
 *
 * @param folder Its real path.
 */
export function endStragglers(folder: string): void {
  const ended = new Set<number>();
  // One may start another while they are looked for.
  for (;;) {
    const found = stragglersIn(folder).filter((pid) => !ended.has(pid) && end(pid));
    if (found.length === 0) return;
    for (const pid of found) ended.add(pid);
  }
}

/** The same for a shell, of the folder `$folder`, for when this process is gone. */
export const END_STRAGGLERS = `
for place in /proc/[0-9]*; do
  case $(cd -P "$place/cwd" 2>/dev/null && pwd -P) in "$folder" | "$folder"/*) ;; *) continue ;; esac
  read -r status <"$place/stat" || continue
  set -- \${status##*) }
  [ "$5" = 0 ] && kill -s KILL "\${place#/proc/}"
done`;

const stragglersIn = (folder: string): readonly number[] =>
  process.platform === 'linux' ? processes().filter((pid) => isIn(folder, pid) && !hasTerminal(pid)) : [];

const processes = (): readonly number[] =>
  readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));

function isIn(folder: string, pid: number): boolean {
  try {
    const place = readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '');
    return place === folder || place.startsWith(`${folder}/`);
  } catch {
    // Another user's, or it has ended.
    return false;
  }
}

/** Programs have none, so that it is somebody who looks at the folder. */
function hasTerminal(pid: number): boolean {
  try {
    const [, , , , terminal] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return terminal !== '0';
  } catch {
    return false;
  }
}

function end(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
