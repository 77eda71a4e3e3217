import {spawn} from 'node:child_process';
import {copyFile, mkdir, mkdtemp, readdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {SetupFailure} from './failure.mjs';
import {tell} from './progress.mjs';

// Below a folder called node_modules, so that git ignores it wherever it is, and on the same disk as its destination.
const stagingFolder = (root) => join(root, 'bin', 'setup', 'node_modules');

/** Removes what interrupted set-ups left. */
export async function sweepStaging(root) {
  await rm(stagingFolder(root), {recursive: true, force: true, maxRetries: 3});
}

/** The environment without what an outer `npm run` says of itself; proxies, registries and caches stay. */
function environmentForNpm() {
  const own = /^npm_(package_|lifecycle_|command$|config_(local_prefix|global|prefix|dry_run|omit|include|json)$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)));
}

/** Runs `npm ci` in a folder; resolves with its exit code (or the signal that ended it) and the end of what it said. */
function npmCi(folder) {
  return new Promise((resolve) => {
    const child = spawn(
      'npm',
      ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'],
      {cwd: folder, env: environmentForNpm(), stdio: ['ignore', 'pipe', 'pipe']},
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said = (said + text).slice(-4000);
      });
    }
    let interrupted = false;
    const passOn = (signal) => {
      interrupted = true;
      child.kill(signal);
    };
    process.on('SIGINT', passOn).on('SIGTERM', passOn);
    const done = (result) => {
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      resolve({...result, said, interrupted});
    };
    child.on('error', (error) => done({code: error.code}));
    child.on('close', (code, signal) => done({code: code ?? signal}));
  });
}

function failure(what, {code, said, interrupted}) {
  // Ctrl-C goes to npm too, whose end may be told before our own signal is.
  if (interrupted || code === 'SIGINT') {
    return new SetupFailure('interrupted; the next start picks the set-up up.', undefined, 130);
  }
  if (code === 'ENOENT') {
    return new SetupFailure('npm was not found on the PATH.', 'Install npm (it comes with Node.js) and start again.');
  }
  const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.exec(said);
  const lines = said
    .split('\n')
    .filter((line) => line.trim() && !line.includes('A complete log of this run'))
    .slice(0, 6);
  return new SetupFailure(
    [`npm could not install the ${what} (exit ${code}).`, ...lines].join('\n  '),
    offline
      ? `npm's registry was not reached (${offline[0]}). Check the network, or npm's registry and proxy settings, and start again.`
      : 'Mend what npm says above and start again; `npm ci --ignore-scripts` in this folder shows all of it.',
  );
}

/**
 * Installs the packages of a folder from its lock file, without their scripts. npm works in a folder of its own and the
 * result is moved in when it is whole: an interrupted install, even one whose npm lives on, never shows.
 */
export async function install({root, folder, what}) {
  await mkdir(stagingFolder(root), {recursive: true});
  const staging = await mkdtemp(join(stagingFolder(root), 'install-'));
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) {
    await copyFile(join(folder, file), join(staging, file));
  }
  const npm = npmCi(staging); // listens for Ctrl-C from here on, so it comes before what is told
  const finish = tell(`installing ${what}`);
  const result = await npm;
  if (result.code !== 0) {
    finish('stopped');
    await sweepStaging(root);
    throw failure(what, result);
  }
  await mkdir(join(staging, 'node_modules'), {recursive: true}); // npm makes none when there is nothing to install
  const target = join(folder, 'node_modules');
  await rename(target, join(staging, 'old')).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(join(staging, 'node_modules'), target);
  finish(`${(await readdir(target)).length} folders`);
  await sweepStaging(root);
}
