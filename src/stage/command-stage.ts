import {lstat, mkdir, open, readdir, readlink, realpath, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {isTableKind, type StoredFile} from '../artifact/kinds.ts';
import {digestOfFile} from '../base/digested-files.ts';
import {own} from '../base/own.ts';
import {giveRightsBack} from '../base/taken-rights.ts';
import {artifactFileName, outputOfFile} from './artifact-file-name.ts';
import {
  commandEnvironment,
  commandParameters,
  type LocatedFile,
  locatedCommand,
  resolveEnvironment,
  withPaths,
} from './command-parameters.ts';
import {resolveDeclaredFiles} from './declared-files.ts';
import {
  type Inputs,
  type Outputs,
  type Stage,
  StageError,
  type StageFunctions,
  type StageWork,
} from './define-stage.ts';
import {placeGathered} from './gathered-files.ts';
import {LONGEST_TOLD, lineSplitter, lineTeller} from './log-lines.ts';
import {isExecutable, placeCopy, placeStored} from './place-file.ts';
import {type Command, CommandError, runCommand} from './run-command.ts';

/** What a program writes to its standard output and error, kept beside its outputs. */
export const LOG_OUTPUT = 'log';
const LOG: Outputs[string] = {
  kind: 'file',
  doc: 'What the program wrote to its standard output and error.',
  extension: 'log',
};

/** Of what a program wrote that ended well but is at fault. */
const FEW_LINES = 5;

/**
 * Stands in the key for the extension of gathered files that have none, and can be none: such files are a folder, and tables of the same
 * bytes would be one file.
 */
const BARE = 'no extension';

const storedFile = z.object({path: z.string()});
/** A file, or a list of those that are gathered. */
const handedInput = z.union([storedFile, z.array(storedFile.extend({axes: z.record(z.string(), z.json())}))]);

/** A `run:` node as a stage: it gives the declared outputs and a log. */
export function commandStage({inputs, outputs}: {readonly inputs: Inputs; readonly outputs: Outputs}): Stage {
  const seenAs = Object.fromEntries(
    Object.entries(inputs).flatMap(([name, {kind, many, extension = many && !isTableKind(kind) ? BARE : undefined}]) =>
      extension === undefined ? [] : [[name, extension]],
    ),
  );
  const orders = columnOrders(outputs);
  const functions: StageFunctions = {run: (work) => runInFolder(work.params, work, inputs, outputs)};
  return {
    name: 'run',
    origin: {from: 'command', inputs, outputs},
    version: 1,
    doc: 'Runs a program.',
    // The name under which a program sees an input may decide what it does, so it is in the key where it says something; and so is the
    // order of columns, which the text of a key does not keep.
    params: commandParameters.extend({
      ...(Object.keys(seenAs).length > 0 && {in: z.record(z.string(), z.string()).default(seenAs)}),
      ...(Object.keys(orders).length > 0 && {columns: z.record(z.string(), z.array(z.string())).default(orders)}),
    }),
    noop: {},
    inputs,
    outputs: {...outputs, [LOG_OUTPUT]: LOG},
    computes: 'plain',
    sources: {files: resolveDeclaredFiles, env: resolveEnvironment},
    checked: functions,
    ...functions,
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
  for (const [name, file] of files) await placeDeclared(file, join(folder, name));
  const paths = new Map<string, string>();
  const stored = new Set<string>();
  for (const [name, declaration] of Object.entries(takes)) {
    const input = own(inputs, name);
    if (input === undefined) continue;
    const handed = handedInput.parse(input);
    for (const {path} of Array.isArray(handed) ? handed : [handed]) stored.add(path);
    const place = `in/${Array.isArray(handed) ? name : artifactFileName(name, declaration)}`;
    if (Array.isArray(handed)) await placeGathered(handed, declaration.extension, join(folder, place));
    else await placeStored(handed.path, join(folder, place));
    paths.set(`in.${name}`, place);
  }
  await mkdir(join(folder, 'out'));
  const out = await realpath(join(folder, 'out'));
  for (const [name, declaration] of Object.entries(gives))
    paths.set(`out.${name}`, `out/${artifactFileName(name, declaration)}`);
  const [program = '', ...rest] = run.map((argument) => withPaths(argument, paths));
  const tail = await logged(log, services.log, (taking) =>
    runCommand({
      program,
      arguments: rest,
      folder,
      env: commandEnvironment(env, paths),
      signal: services.signal,
      ...taking,
    }),
  );
  for (const place of [folder, join(folder, 'out')]) giveRightsBack(place);
  if ((await realpath(join(folder, 'out')).catch(() => undefined)) !== out) throw outIsAnother(program, gives, tail);
  for (const [name, declaration] of Object.entries(gives))
    await replaceLink(join(out, artifactFileName(name, declaration)), stored);
  await checkOutputs(folder, program, gives, tail);
  const made = Object.entries(gives).map(([name, declaration]): [string, StoredFile] => [
    name,
    {path: join(folder, 'out', artifactFileName(name, declaration))},
  ]);
  return {...Object.fromEntries(made), [LOG_OUTPUT]: {path: log}};
}

/** @throws StageError when the file is not what it was when the pipeline was planned. */
async function placeDeclared({path: from, digest, executable}: LocatedFile, to: string): Promise<void> {
  const status = await stat(from).catch(() => undefined);
  const now = status === undefined ? 'was removed' : status.isDirectory() ? 'became a folder' : undefined;
  if (now !== undefined)
    throw new StageError(`The file ${from} ${now} while the pipeline ran.`, 'Put it back, or run again without it.');
  await placeCopy(from, to, executable);
  if ((await digestOfFile(to)) !== digest)
    throw new StageError(`The file ${from} changed while the pipeline ran.`, 'Run it again.');
}

/** Has all that a program writes put into a file as it is, and tells lines of it; gives the last ones. */
async function logged(
  path: string,
  tell: (line: string) => void,
  run: (taking: Pick<Command, 'take' | 'end'>) => Promise<void>,
): Promise<readonly string[]> {
  const {split, rest} = lineSplitter(LONGEST_TOLD);
  const teller = lineTeller(tell, () => performance.now() / 1000);
  const file = await open(path, 'w');
  try {
    await run({
      take: async (bytes) => {
        for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
        for (const line of split(bytes)) teller.line(line);
      },
      end: () => {
        for (const line of rest()) teller.line(line);
        teller.end();
        return teller.tail;
      },
    });
  } finally {
    await file.close();
  }
  return teller.tail.slice(-FEW_LINES);
}

/** Removed, or a link to another folder, whose files are not ours to take. */
function outIsAnother(program: string, gives: Outputs, tail: readonly string[]): CommandError {
  const [name] = Object.keys(gives);
  const hint = `Have it leave "out" where it is${name === undefined ? '' : `, and write to \${out.${name}}`}.`;
  return new CommandError(`${program} ended well but its folder "out" is not the one that it was given.`, hint, tail);
}

/** An input that was moved to an output, and is a link to the store because it is large, as the copy that it would be were it small. */
async function replaceLink(file: string, stored: ReadonlySet<string>): Promise<void> {
  const target = await readlink(file).catch(() => '');
  if (!stored.has(target)) return;
  await rm(file);
  await placeCopy(target, file, isExecutable(await stat(target)));
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
    const elsewhere = await findFile(folder, file);
    const hint =
      elsewhere === undefined
        ? `Have it write to \${out.${name}}.`
        : `It wrote ${elsewhere}; have it write to \${out.${name}}.`;
    throw new CommandError(`${program} ended well but ${what}.`, hint, tail);
  }
  const extra = there.filter((file) => !expected.has(file));
  const [first] = extra;
  if (first !== undefined)
    throw new CommandError(
      `${program} wrote ${extra.map((file) => `out/${file}`).join(', ')}, which the node does not declare.`,
      await hintForExtra(join(folder, 'out'), first, gives),
      tail,
    );
}

/** The path below a folder of what is called so, but not of what lies in its place; folders that cannot be read are passed over. */
async function findFile(folder: string, file: string, above = ''): Promise<string | undefined> {
  const entries = await readdir(join(folder, above), {withFileTypes: true}).catch(() => []);
  if (above !== 'out/' && entries.some(({name}) => name === file)) return above + file;
  for (const entry of entries) {
    const below = entry.isDirectory() ? await findFile(folder, file, `${above}${entry.name}/`) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

async function hintForExtra(out: string, file: string, gives: Outputs): Promise<string> {
  const status = await lstat(join(out, file)).catch(() => undefined);
  if (status && !status.isFile())
    return 'An output is one file: have it pack what is in there, remove it, or write it outside of "out".';
  const output = outputOfFile(file);
  return output && output.name !== LOG_OUTPUT && !Object.hasOwn(gives, output.name)
    ? `Declare it: out: ${output.written}.`
    : 'No output can be declared for that name: have it use another one, remove the file, or write it outside of "out".';
}
