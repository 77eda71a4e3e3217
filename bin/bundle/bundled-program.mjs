// Not imported: an import reads every name that a module of Node has, and some are getters that load as much again.
const {accessSync, constants, existsSync, readFileSync, statSync, utimesSync} = process.getBuiltinModule('node:fs');
const {join} = process.getBuiltinModule('node:path');

export const bundleFolder = (root) => join(root, 'node_modules', '.basin', 'bundle');
export const recordPath = (root) => join(bundleFolder(root), 'made.json');

/** What tells a file from what it was: the change time too, as no program can set it. */
export function stateOf(path) {
  const {ino, size, mtimeMs, ctimeMs} = statSync(path);
  return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
}

/** The file whose state stands for a source's: npm writes one anew with whatever it installs, so packages are not asked for file by file. */
export function witnessOf(path) {
  const [folder] = path.split(/(?<=[\\/]node_modules)[\\/]/, 1);
  const installed = join(folder, '.package-lock.json');
  return folder !== path && existsSync(installed) ? installed : path;
}

/** The first file of the bundle and all of them, when it is whole, and was made of this checkout and of every file as it is now. */
export function bundledProgram(root) {
  try {
    const made = JSON.parse(readFileSync(recordPath(root), 'utf8'));
    if (made.root !== root) return undefined;
    for (const [path, state] of Object.entries(made.files)) if (stateOf(path) !== state) return undefined;
    const folder = bundleFolder(root);
    const parts = Object.keys(made.parts).map((name) => join(folder, name));
    const sizes = Object.values(made.parts);
    if (parts.some((path, at) => statSync(path).size !== sizes[at])) return undefined;
    return {path: join(folder, made.program), parts};
  } catch {
    return undefined;
  }
}

const HOUR = 60 * 60 * 1000;

/** Keeps the files of a bundle young while this process lasts: it loads some late, and starts workers from them. */
export function keepInUse({path, parts}) {
  const touch = () => {
    const now = new Date();
    try {
      for (const part of parts) utimesSync(part, now, now);
    } catch {
      // another's checkout; then it is the owner who removes what is old
    }
  };
  if (statSync(path).mtimeMs < Date.now() - HOUR) touch();
  setInterval(touch, HOUR).unref();
}

/** Whether this user may write the bundle; a checkout can be another's. */
export function mayBundle(root) {
  try {
    accessSync(join(root, 'node_modules', '.basin'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
