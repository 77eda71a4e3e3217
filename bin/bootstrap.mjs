// Puts in place what basin needs before its own code can run: a new enough Node and the packages. Run by bin/basin-node
// with whatever Node there is (20 or newer), so it is plain JavaScript and imports nothing that has to be installed.
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {SetupFailure} from './setup/failure.mjs';
import {install, sweepStaging} from './setup/install.mjs';
import {whileLocked} from './setup/lock.mjs';
import {packagesAreCurrent} from './setup/packages.mjs';
import {isNewEnough, OLDEST_HELPER, pinnedRuntime, runs} from './setup/runtime.mjs';
import {writeStamp} from './setup/stamp.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const say = (text) => process.stderr.write(`basin: ${text}\n`);

async function prepare(asked) {
  const missing = {
    runtime: !isNewEnough(process.versions.node) && !runs(pinnedRuntime(root)),
    packages: !(await packagesAreCurrent(root)),
  };
  if (missing.runtime || missing.packages) {
    const what = [
      missing.runtime && `Node 24 (189 MB, as yours is ${process.versions.node})`,
      missing.packages && 'packages (about 650 MB on disk)',
    ];
    say(`setting up, once: ${what.filter(Boolean).join(', then ')}.`);
    if (process.platform === 'linux') {
      say('the first run that computes adds TensorFlow, once per user (274 MB to download, 640 MB on disk).');
    }
    await sweepStaging(root);
  }
  if (missing.runtime) await install({root, folder: join(root, 'bin', 'node'), what: 'Node 24'});
  if (!isNewEnough(process.versions.node) && !runs(pinnedRuntime(root))) {
    throw new SetupFailure(
      `your Node is ${process.versions.node}, basin needs 24.15 or newer, and the one from npm does not start on this machine (${process.platform} ${process.arch}).`,
      'Install Node 24.15 or newer (nodejs.org, nvm or your system) and start again.',
    );
  }
  if (missing.packages) await install({root, folder: root, what: 'packages'});
  await writeStamp(root, {
    asked,
    runtime: isNewEnough(process.versions.node) ? process.execPath : pinnedRuntime(root).slice(root.length + 1),
  });
}

// As bin/basin found it; Node has undone it.
if (process.env.BASIN_HANGUP === 'ignored') process.on('SIGHUP', () => {});
try {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_HELPER) {
    throw new SetupFailure(
      `your Node is ${process.versions.node}; the set-up itself needs Node ${OLDEST_HELPER} or newer.`,
      'Install a newer Node with npm and start again.',
    );
  }
  await whileLocked(
    root,
    () => say('another set-up of this checkout is running; waiting for it.'),
    () => prepare(process.argv[2] ?? '-'),
  );
} catch (error) {
  if (error instanceof SetupFailure) {
    say(error.message);
    if (error.hint) say(error.hint);
    process.exit(error.exitCode);
  }
  const known = {ENOSPC: 'the disk is full', EACCES: 'a folder may not be written to', EROFS: 'the disk is read-only'};
  say(`the set-up stopped: ${known[error.code] ?? 'unexpected'} (${error.message}).`);
  process.exit(1);
}
