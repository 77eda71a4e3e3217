import {createWriteStream} from 'node:fs';
import {lstat, mkdir, readdir, realpath} from 'node:fs/promises';
import {join} from 'node:path';
import {finished} from 'node:stream/promises';
import {z} from 'zod';
import type {StoredFile} from '../artifact/kinds.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {own} from '../base/own.ts';
import {artifactFileName} from './artifact-file-name.ts';
import {
  commandEnvironment,
  commandParameters,
  locatedCommand,
  REFERENCE,
  resolveEnvironment,
} from './command-parameters.ts';
import {resolveDeclaredFiles} from './declared-files.ts';
import {type Inputs, type Outputs, type Stage, StageError, type StageWork} from './define-stage.ts';
import {placeGathered} from './gathered-files.ts';
import {placeCopy, placeStored} from './place-file.ts';
import {CommandError, runCommand} from './run-command.ts';

/** What a program writes to its standard output and error, kept beside its outputs. */
export const LOG_OUTPUT = 'log';
const LOG: Outputs[string] = {
  kind: 'file',
  doc: 'What the program wrote to its standard output and error.',
  extension: 'log',
};

const storedFile = z.object({path: z.string()});
/** A file, or a list of those that are gathered. */
const handedInput = z.union([storedFile, z.array(storedFile.extend({axes: z.record(z.string(), z.json())}))]);

/** A `run:` node as a stage: it gives the declared outputs and a log. */
export function commandStage({inputs, outputs}: {readonly inputs: Inputs; readonly outputs: Outputs}): Stage {
  const extensions = Object.fromEntries(
    Object.entries(inputs).flatMap(([name, {extension}]) => (extension === undefined ? [] : [[name, extension]])),
  );
  const orders = columnOrders(outputs);
  return {
    name: 'run',
    origin: {from: 'command', inputs, outputs},
    version: 1,
    doc: 'Runs a program.',
    // The name under which a program sees an input may decide what it does, so it is in the key where it says something; and so is the
    // order of columns, which the text of a key does not keep.
    params: commandParameters.extend({
      ...(Object.keys(extensions).length > 0 && {in: z.record(z.string(), z.string()).default(extensions)}),
      ...(Object.keys(orders).length > 0 && {columns: z.record(z.string(), z.array(z.string())).default(orders)}),
    }),
    noop: {},
    inputs,
    outputs: {...outputs, [LOG_OUTPUT]: LOG},
    computes: 'plain',
    sources: {files: resolveDeclaredFiles, env: resolveEnvironment},
    run: (work) => runInFolder(work.params, work, inputs, outputs),
  };
}

/** Names of columns as they are declared, of outputs where a key would have them in another order. */
function columnOrders(outputs: Outputs): Record<string, string[]> {
  const orders = Object.entries(outputs).map(([name, {columns}]): [string, string[]] => [
    name,
    Object.keys(columns ?? {}),
  ]);
  return Object.fromEntries(orders.filter(([, names]) => names.join('\n') !== names.toSorted().join('\n')));
}

async function runInFolder(
  params: unknown,
  {inputs, services}: StageWork,
  takes: Inputs,
  gives: Outputs,
): Promise<Record<string, StoredFile>> {
  const {run, files, env} = locatedCommand.parse(params);
  const folder = await services.folder();
  const log = join(await services.folder(), 'log');
  for (const [name, {path, digest}] of files) {
    await placeCopy(path, join(folder, name));
    if ((await digestOfFile(join(folder, name))) !== digest)
      throw new StageError(`The file ${path} changed while the pipeline ran.`, 'Run it again.');
  }
  const paths = new Map<string, string>();
  for (const [name, declaration] of Object.entries(takes)) {
    const input = own(inputs, name);
    if (input === undefined) continue;
    const handed = handedInput.parse(input);
    const place = `in/${Array.isArray(handed) ? name : artifactFileName(name, declaration)}`;
    if (Array.isArray(handed)) await placeGathered(handed, declaration.extension, join(folder, place));
    else await placeStored(handed.path, join(folder, place));
    paths.set(`in.${name}`, place);
  }
  await mkdir(join(folder, 'out'));
  const out = await realpath(join(folder, 'out'));
  for (const [name, declaration] of Object.entries(gives))
    paths.set(`out.${name}`, `out/${artifactFileName(name, declaration)}`);
  const [program = '', ...rest] = run.map((argument) =>
    argument.replace(REFERENCE, (whole, side: string, name: string) => paths.get(`${side}.${name}`) ?? whole),
  );
  const written = createWriteStream(log);
  const tail: string[] = [];
  try {
    await runCommand({
      program,
      arguments: rest,
      folder,
      env: commandEnvironment(env),
      signal: services.signal,
      line: (line) => {
        written.write(`${line}\n`);
        services.log(line);
        tail.push(line);
        if (tail.length > 5) tail.shift();
      },
    });
  } finally {
    written.end();
    await finished(written);
  }
  if ((await realpath(join(folder, 'out')).catch(() => undefined)) !== out) throw outIsAnother(program, gives, tail);
  await checkOutputs(folder, program, gives, tail);
  const made = Object.entries(gives).map(([name, declaration]): [string, StoredFile] => [
    name,
    {path: join(folder, 'out', artifactFileName(name, declaration))},
  ]);
  return {...Object.fromEntries(made), [LOG_OUTPUT]: {path: log}};
}

/** Removed, or a link to another folder, whose files are not ours to take. */
function outIsAnother(program: string, gives: Outputs, tail: readonly string[]): CommandError {
  const [name] = Object.keys(gives);
  const hint = `Have it leave "out" where it is${name === undefined ? '' : `, and write to \${out.${name}}`}.`;
  return new CommandError(`${program} ended well but its folder "out" is not the one that it was given.`, hint, tail);
}

/** Every output is where it was asked for and nothing else is there: what is written elsewhere would be lost. */
async function checkOutputs(folder: string, program: string, gives: Outputs, tail: readonly string[]): Promise<void> {
  const expected = new Map(
    Object.entries(gives).map(([name, declaration]) => [artifactFileName(name, declaration), name]),
  );
  const there = await readdir(join(folder, 'out'));
  for (const [file, name] of expected) {
    const status = await lstat(join(folder, 'out', file)).catch(() => undefined);
    if (status?.isFile()) continue;
    const what =
      status === undefined
        ? `did not write its output "${name}"`
        : `made its output "${name}" something that is no file`;
    const elsewhere = (await readdir(folder, {recursive: true})).find(
      (path) => path !== `out/${file}` && path.split('/').at(-1) === file,
    );
    const hint =
      elsewhere === undefined
        ? `Have it write to \${out.${name}}.`
        : `It wrote ${elsewhere}; have it write to \${out.${name}}.`;
    throw new CommandError(`${program} ended well but ${what}.`, hint, tail);
  }
  const extra = there.filter((file) => !expected.has(file));
  if (extra.length > 0)
    throw new CommandError(
      `${program} wrote ${extra.map((file) => `out/${file}`).join(', ')}, which the node does not declare.`,
      `Declare it: out: {${extra[0]?.replace(/\..*/, '')}: file}.`,
      tail,
    );
}
