import {basename} from 'node:path';
import {type ParseArgsConfig, parseArgs} from 'node:util';

/** What a benchmark was asked on its command line. `--help`, and what it does not take, say what it does. */
export function readOptions<const Config extends ParseArgsConfig>(
  file: string,
  config: Config,
): ReturnType<typeof parseArgs<Config>> {
  const names = Object.keys(config.options ?? {}).map((name) => `--${name}`);
  const usage = `bench/${basename(file)} takes ${names.join(', ')}; what they are for is said at its top.`;
  if (process.argv.includes('--help')) {
    console.log(usage);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}
