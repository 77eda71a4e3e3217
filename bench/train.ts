import {mkdtempSync, rmSync} from 'node:fs';
import {availableParallelism, cpus, loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {ALL_CASES, type Case, casesNamed, DEFAULT_CASES} from './cases.ts';
import {writeMaterial} from './material.ts';
import {type Result, resultOf} from './result.ts';
import {type Contestant, measure} from './rounds.ts';
import {checkSameWork} from './same-work.ts';
import {basinSide} from './side.ts';
import {tableHead, tableRow} from './table.ts';
import {TORCH_FORMS, type TorchForm, torchInstalled, torchName, torchSide} from './torch.ts';

/*
 * basin's stages side by side with the same work in PyTorch: both are processes that take turns in one run, on equal weights,
 * pictures and threads, and the losses of the first steps must agree before anything is timed.
 *
 *   bin/basin-node bench/install-torch.ts        # once
 *   bin/basin-node bench/train.ts                # what the targets are about, about ten minutes
 *     --cases D192-L6.train,platon   those with all of these words; --list names all
 *     --all --rounds 5 --seconds 1 --threads N --peers eager,trimmed,compiled --json
 *
 * PyTorch's threads wait for each other by spinning: beside a busy neighbour its steps take many times as long. Run it on a
 * machine that does nothing else, or ahead of all else (chrt --rr 10).
 */

const {values: options} = parseArgs({
  options: {
    cases: {type: 'string'},
    all: {type: 'boolean'},
    list: {type: 'boolean'},
    rounds: {type: 'string', default: '5'},
    seconds: {type: 'string', default: '1'},
    threads: {type: 'string', default: String(availableParallelism())},
    peers: {type: 'string', default: 'eager'},
    json: {type: 'boolean'},
  },
});
const [rounds, seconds, threads] = [Number(options.rounds), Number(options.seconds), Number(options.threads)];
const asked = options.peers.split(',');
const forms = TORCH_FORMS.filter((form) => asked.includes(form));
const named = options.cases === undefined ? undefined : casesNamed(options.cases.split(','));

function refuse(text: string): never {
  console.error(`bench/train: ${text}`);
  process.exit(2);
}
if (options.list) {
  for (const {id} of ALL_CASES) console.log(id);
  process.exit(0);
}
if (options.cases !== undefined && !named) refuse('no case has these words; --list names all.');
if (!(rounds >= 1) || !(threads >= 1) || !(seconds > 0)) refuse('rounds, seconds and threads are numbers above 0.');
if (forms.length !== asked.length) refuse(`peers are ${TORCH_FORMS.join(', ')}.`);
if (!torchInstalled()) refuse('PyTorch is not there. Run `bin/basin-node bench/install-torch.ts` once.');

const bareOf = (one: Case): Case => ({...one, id: one.id.replace('.platon.', '.train.'), work: 'train'});

async function compare(one: Case, folder: string): Promise<Result[]> {
  await writeMaterial(folder, one);
  const tuned = !one.id.startsWith('ViT-B16');
  const contestantsOf = (at: Case): Contestant[] => [
    {name: 'basin', one: at, side: basinSide({case: at.id, backend: 'tensorflow', threads})},
    ...forms.map((form: TorchForm) => ({
      name: torchName(form, at),
      one: at,
      side: torchSide(folder, at, {form, threads, tuned}),
    })),
  ];
  const contestants = [...contestantsOf(one), ...(one.work === 'platon' ? contestantsOf(bareOf(one)) : [])];
  try {
    const measured = await measure(contestants, {rounds, duration: 1000 * seconds});
    const [ours, ...others] = measured.slice(0, forms.length + 1);
    const [ownBare, ...bares] = measured.slice(forms.length + 1);
    if (!ours) return [];
    return others.map((peer, index) => {
      checkSameWork(ours, peer);
      const bare = bares[index];
      return resultOf(ours, peer, ownBare && bare && {ours: ownBare, peer: bare});
    });
  } finally {
    for (const {side} of contestants) side.end();
  }
}

const cases = named ?? (options.all ? ALL_CASES : DEFAULT_CASES);
const machine = {
  processor: cpus()[0]?.model ?? 'unknown',
  cores: availableParallelism(),
  threads,
  node: process.version,
};
if (!options.json) {
  console.log(
    `${machine.processor}, ${machine.cores} cores, ${threads} threads, Node ${machine.node}; ${rounds} rounds\n`,
  );
  console.log(tableHead());
}
const folder = mkdtempSync(join(tmpdir(), 'basin-bench-'));
process.on('exit', () => rmSync(folder, {recursive: true, force: true}));
for (const one of cases) {
  try {
    for (const result of await compare(one, join(folder, one.id))) {
      const line = {...result, machine: {...machine, load: Number((loadavg()[0] ?? Number.NaN).toFixed(2))}};
      console.log(options.json ? JSON.stringify(line) : tableRow(result));
    }
  } catch (error) {
    process.exitCode = 1;
    console.error(`bench/train: ${one.id}: ${error instanceof Error ? error.message : String(error)}`);
  }
  rmSync(join(folder, one.id), {recursive: true, force: true});
}
