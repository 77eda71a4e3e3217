import {spawnSync} from 'node:child_process';
import {accessSync, constants, mkdirSync} from 'node:fs';
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';

/** Where `--install` puts engines that come from npm and pip; nothing of the checkout or the system is touched. */
const FOLDER = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'basin', 'bench');
export const NPM = join(FOLDER, 'npm', 'node_modules', '.bin');
const NPM_PACKAGES = ['wireit@0.14', 'turbo@2'];
const PYTHON_PACKAGES = ['snakemake', 'dvc'] as const;

const pythonFolder = (name: (typeof PYTHON_PACKAGES)[number]): string => join(FOLDER, `python-${name}`);
export const pythonProgram = (name: (typeof PYTHON_PACKAGES)[number]): string => join(pythonFolder(name), 'bin', name);

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a program that the system has; its bare name when there is none. */
export const program = (name: string): string =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram) ?? name;

export const absentProgram = (path: string): string | undefined =>
  isProgram(path) || isProgram(program(path)) ? undefined : `${path} is not there`;

/** Installs what npm and pip have, each engine in a folder of its own; what fails is said and left out. */
export function installEngines(): void {
  mkdirSync(join(FOLDER, 'npm'), {recursive: true});
  const steps = [
    ['npm', 'install', '--prefix', join(FOLDER, 'npm'), '--no-audit', '--no-fund', ...NPM_PACKAGES],
    ...PYTHON_PACKAGES.flatMap((name) => [
      ['python3', '-m', 'venv', pythonFolder(name)],
      [join(pythonFolder(name), 'bin', 'pip'), 'install', '--quiet', name],
    ]),
  ];
  for (const [command = '', ...args] of steps) {
    const {status} = spawnSync(command, args, {stdio: ['ignore', 2, 2]});
    if (status !== 0) console.error(`bench/engine: "${command} ${args.join(' ')}" failed; that engine is left out.`);
  }
}
