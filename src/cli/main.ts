import {readFileSync} from 'node:fs';
import {Command, CommanderError, Option} from 'commander';
import {BACKENDS} from '../../stages/tensor/backend.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {UserError} from '../base/user-error.ts';
import {workingFolder} from '../base/working-folder.ts';
import {EXIT} from './exit-code.ts';
import {commandFault, printFaults} from './faults.ts';
import {keepIgnoringHangup} from './interrupt.ts';
import {followOutputs} from './outputs.ts';
import {withPipelineOptions, withRunOptions} from './pipeline-options.ts';
import {endProcess, guardFromUsersCode} from './users-code.ts';

function version(): string {
  const manifest: {readonly version?: unknown} = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  return String(manifest.version);
}

/** commander's `error: unknown command 'rnu'\n(Did you mean run?)` as the fault that every other one is. */
function usageFault({message}: CommanderError): Diagnostic {
  const [what = '', suggested] = message.replace(/^error: /, '').split('\n');
  const sentence = `${what.charAt(0).toUpperCase()}${what.slice(1)}${what.endsWith('.') ? '' : '.'}`;
  const near = /^\((Did you mean .*)\)$/.exec(suggested ?? '')?.[1];
  return commandFault(sentence, near ?? 'basin --help lists the commands, basin COMMAND --help its options.');
}

// Each command is imported when it is asked for: start-up is a feature.
function program(setExit: (code: number) => void): Command {
  const basin = new Command('basin')
    .description('Neural-network experiments declared as YAML pipelines, cached by content.')
    .option('-V, --version', 'print the version')
    .on('option:version', () => {
      process.stdout.write(`${version()}\n`);
      throw new CommanderError(EXIT.done, 'commander.version', 'the version was asked for');
    })
    .showSuggestionAfterError()
    .exitOverride();
  withRunOptions(withPipelineOptions(basin.command('run').argument('<file>', 'a pipeline')))
    .description('run what is not in the store yet')
    .option('--keep-going', 'after a failure, run everything that does not depend on it')
    .addOption(new Option('--fail-fast', 'after a failure, stop what runs').conflicts('keepGoing'))
    .option('--offline', 'fetch no data set and no checkpoint')
    .option('--quiet', 'tell only what goes wrong, and the totals')
    .addOption(
      new Option('--verbose', 'tell also what stages and workers write, and what stored programs wrote').conflicts(
        'quiet',
      ),
    )
    .action(async (file, options) => setExit(await (await import('./commands/run.ts')).runCommand(file, options)));
  withRunOptions(withPipelineOptions(basin.command('plan').argument('<file>', 'a pipeline')))
    .description('say what a run would do, and why')
    .option('--all', 'name every instance')
    .addOption(new Option('--graph <format>', 'draw the nodes instead').choices(['mermaid']).conflicts('json'))
    .action(async (file, options) => setExit(await (await import('./commands/plan.ts')).planCommand(file, options)));
  withPipelineOptions(basin.command('explain').argument('<file>', 'a pipeline').argument('<instance>'))
    .description('why an instance runs or does not: what changed since it last ran, field by field')
    .action(async (file, instance, options) =>
      setExit(await (await import('./commands/explain.ts')).explainCommand(file, instance, options)),
    );
  withPipelineOptions(
    basin.command('show').argument('<file>', 'a pipeline').argument('<artifact>', 'instance.artifact, or plots.NAME'),
  )
    .description('print a stored table, write any artifact to a file, or draw a plot')
    .addOption(
      new Option('--format <name>', '(default: table, of a plot svg)').choices([
        'table',
        'csv',
        'json',
        'arrow',
        'svg',
      ]),
    )
    .addOption(new Option('--output <path>', 'write to this file').conflicts('to'))
    .option('--to <folder>', 'write every artifact of an instance to this folder')
    .action(async (file, artifact, {to, ...options}) =>
      setExit(
        to === undefined
          ? await (await import('./commands/show.ts')).showCommand(file, artifact, options)
          : await (await import('./commands/show-files.ts')).showFilesCommand(file, artifact, to, options),
      ),
    );
  withPipelineOptions(basin.command('log').argument('<file>', 'a pipeline').argument('<instance>'))
    .description('everything an instance wrote when it last ran')
    .action(async (file, instance, options) =>
      setExit(await (await import('./commands/log.ts')).logCommand(file, instance, options)),
    );
  addCacheCommands(basin, setExit);
  basin
    .command('new')
    .description('begin something of your own')
    .command('stage')
    .argument('<name>')
    .description('write a stage to begin with, NAME.ts in this folder')
    .action(async (name) => setExit(await (await import('./commands/new.ts')).newStageCommand(name)));
  basin
    .command('setup')
    .description('find or build the fastest tensor back end, test it, and remember it')
    .addOption(new Option('--backend <name>').choices(BACKENDS))
    .action(async (options) => setExit(await (await import('./commands/setup.ts')).setupCommand(options)));
  basin
    .command('doctor')
    .description('what was found on this machine, and why a faster back end is not used')
    .action(async () => setExit(await (await import('./commands/doctor.ts')).doctorCommand()));
  basin
    .command('schema')
    .description('the JSON Schema of pipeline files, for editors')
    .action(async () => setExit(await (await import('./commands/schema.ts')).schemaCommand()));
  return basin;
}

const withSubcommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap((sub) => withSubcommands(sub)),
];

function addCacheCommands(basin: Command, setExit: (code: number) => void): void {
  const cache = basin.command('cache').description('look after the store');
  const folder = ['--cache <folder>', 'the store (default: cache/ at the root of the project)'] as const;
  const json = ['--json', 'print for programs, as the docs describe'] as const;
  cache
    .command('gc')
    .description('remove payloads until the rest fits a budget; what is cheap to compute again goes first')
    .requiredOption('--budget <size>', 'as in 20GB, 1.5GiB or 500MB')
    .option('--dry-run', 'say what would go, and remove nothing')
    .option(...folder)
    .option(...json)
    .action(async (options) => setExit(await (await import('./commands/cache.ts')).gcCommand(options)));
  cache
    .command('verify')
    .description('read everything in the store and compare it with its digest')
    .option('--repair', 'remove what is damaged, so that it is computed again')
    .option(...folder)
    .option(...json)
    .action(async (options) => setExit(await (await import('./commands/cache.ts')).verifyCommand(options)));
}

async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  let exit: number = EXIT.done;
  const basin = program((code) => {
    exit = code;
  });
  for (const command of withSubcommands(basin)) command.exitOverride().configureOutput({outputError: () => {}});
  try {
    await basin.parseAsync([...argv], {from: 'user'});
    return exit;
  } catch (error) {
    if (error instanceof UserError) {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : 'cannot-go-on';
      printFaults([{code, message: error.message, ...(error.hint !== undefined && {hint: error.hint})}], json);
      return EXIT.failed;
    }
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.done;
    // called without a command: the help is on stderr already
    if (error.code !== 'commander.help') printFaults([usageFault(error)], json);
    return EXIT.wrong;
  }
}

keepIgnoringHangup();
followOutputs(process.argv[2] === 'run');
// What a run writes is never everybody's to write, whatever the shell allows; a group may share a cache.
process.umask(process.umask() | 0o002);
guardFromUsersCode(process.argv.includes('--json'));
if (workingFolder() === undefined) {
  const hint = 'Go to one that is there; paths start at it.';
  printFaults([commandFault('The folder you are in was removed.', hint)], process.argv.includes('--json'));
  await endProcess(EXIT.wrong);
}
await endProcess(await main(process.argv.slice(2)));
