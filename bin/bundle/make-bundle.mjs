// Puts the command line together: `make-bundle.mjs ROOT`. Started by bin/start.mjs, which does without where this fails.
import {mkdirSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs';
import {isBuiltin} from 'node:module';
import {dirname, extname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {rolldown} from 'rolldown';
import {writeWhole} from '../setup/write-whole.mjs';
import {bundleFolder, recordPath, stateOf, witnessOf} from './bundled-program.mjs';
import {chunkGroups} from './chunk-groups.mjs';

const DAY = 24 * 60 * 60 * 1000;
/** Two changes of a file within one tick of the file system's clock look the same. */
const TICK = 50;

const root = process.argv[2];
const main = join(root, 'src', 'cli', 'main.ts');
const started = Date.now();
const files = {};

const read = (path) => {
  const witness = witnessOf(path);
  files[witness] ??= stateOf(witness); // before it is read: what changes in between is seen as a change
  return readFileSync(path, 'utf8');
};

const NEIGHBOUR = /new URL\('(\.[^']*\.ts)', import\.meta\.url\)/g;

/** Modules find what they name (C++ sources, package.json, packages) from where they are, and go on to do so in a bundle. */
const inPlace = (code, path) =>
  code
    .replaceAll('import.meta.url', () => JSON.stringify(pathToFileURL(path).href)) // as it is: a path may have `$&`
    .replaceAll('import.meta.dirname', () => JSON.stringify(dirname(path)));

const BUILTIN = /^import (?:([\w$]+)|\{([^}]*)\}|([\w$]+), \{([^}]*)\}) from "([^"]+)";$/gm;

/** As bundled-program.mjs gets them: an import reads getters that load streams and more, a sixth of the modules a run starts with. */
const builtinsAsked = (code) =>
  code.replace(BUILTIN, (line, whole, names, both, others, from) => {
    if (!isBuiltin(from)) return line;
    const taken = [whole ?? both, (names ?? others)?.replaceAll(' as ', ': ').replace(/^.*$/s, '{$&}')];
    return taken
      .filter((target) => target !== undefined)
      .map((target) => `const ${target} = process.getBuiltinModule("${from}");`)
      .join(' ');
  });

let groups = new Map();
const build = await rolldown({
  input: main,
  platform: 'node',
  external: [/^@tensorflow\//, 'fs-native-extensions'], // native, or found from where they are
  logLevel: 'silent',
  preserveEntrySignatures: 'allow-extension', // what groups need that leave their modules' dependencies where they are
  plugins: [
    {
      name: 'in-place',
      buildEnd() {
        groups = chunkGroups(root, (id) => this.getModuleInfo(id));
      },
      renderChunk: builtinsAsked,
      load(path) {
        const language = extname(path).slice(1).replace('mjs', 'js');
        if (!['ts', 'js'].includes(language)) return undefined;
        const programs = [];
        // A process or a thread of its own, or what users' files import: put together with the rest.
        const code = read(path).replace(NEIGHBOUR, (_, to) => {
          programs.push(this.emitFile({type: 'chunk', id: join(dirname(path), to)}));
          return `new URL(PROGRAM_${programs.length - 1})`;
        });
        const placed = inPlace(code, path).replace(
          /PROGRAM_(\d+)/g,
          (_, at) => `import.meta.ROLLUP_FILE_URL_${programs[at]}`,
        );
        return {code: placed, moduleType: language};
      },
    },
  ],
});
const {output} = await build.generate({
  format: 'esm', // named .mjs, else Node reads each to find that out
  entryFileNames: '[name]-[hash].mjs',
  chunkFileNames: '[name]-[hash].mjs',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: ['run', 'run-and-worker'].map((name) => ({name, test: (id) => groups.get(id) === name})),
  },
});
const program = output.find(({facadeModuleId}) => facadeModuleId === main);

const folder = bundleFolder(root);
mkdirSync(folder, {recursive: true});
for (const {fileName, code} of output) await writeWhole(join(folder, fileName), code);
const states = Object.values(files).map((state) => Number(state.split(' ').at(-1)));
if (states.every((changed) => changed < started - TICK)) {
  const parts = Object.fromEntries(output.map(({fileName, code}) => [fileName, Buffer.byteLength(code)]));
  await writeWhole(recordPath(root), JSON.stringify({root, program: program.fileName, parts, files}));
}
// What some command still runs from is kept young by it.
const current = new Set([...output.map(({fileName}) => fileName), 'made.json']);
for (const name of readdirSync(folder).filter((name) => !current.has(name))) {
  const path = join(folder, name);
  if (statSync(path).mtimeMs < started - DAY) rmSync(path, {force: true});
}
