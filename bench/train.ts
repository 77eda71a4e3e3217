import {mkdtempSync, rmSync} from 'node:fs';
import {availableParallelism, cpus, loadavg, tmpdir} from 'node:os';
import {join} from 'node:path';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {ALL_CASES, type Case, casesNamed, DEFAULT_CASES} from './cases.ts';
import {writeMaterial} from './material.ts';
import {oneAlphaMore} from './one-alpha.ts';
import {readOptions} from './options.ts';
import {type OwnResult, type Result, resultOf} from './result.ts';
import {type Contestant, measure} from './rounds.ts';
import {workDiffers} from './same-work.ts';
import {basinSide} from './side.ts';
import {startUps} from './start-up.ts';
import {ownRow, tableHead, tableRow} from './table.ts';
import {TORCH_FORMS, type TorchForm, torchInstalled, torchName, torchSide} from './torch.ts';

/*
 * basin's stages side by side with the same work in PyTorch: both are processes that take turns in one run, on equal weights,
 * pictures and threads, and the losses of the first steps must agree before anything is timed.
 *
 *   bin/basin-node bench/install-torch.ts        # once
 *   bin/basin-node bench/train.ts                # what the targets are about, about ten minutes
 *     --cases D192-L6.train,platon   those with all of these words; --list names all; `start` and `one-alpha` are basin's alone
 *     --all --rounds 5 --seconds 1 --threads N --peers eager,trimmed,compiled --json
 *
 * PyTorch's threads wait for each other by spinning: beside a busy neighbour its steps take many times as long. Run it on a
 * machine that does nothing else, or ahead of all else (chrt --rr 10).
 */

const {values: options} = readOptions(import.meta.filename, {
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

/** Words of cases that have no peer. */
const OWN = ['start', 'one-alpha'];

const [rounds, seconds, threads] = [Number(options.rounds), Number(options.seconds), Number(options.threads)];
const asked = options.peers.split(',');
const forms = TORCH_FORMS.filter((form) => asked.includes(form));
const words = options.cases?.split(',') ?? [...OWN];
const own = OWN.filter((word) => words.includes(word));
const compared = words.filter((word) => !OWN.includes(word));
const named = options.cases === undefined ? undefined : compared.length === 0 ? [] : casesNamed(compared);

function refuse(text: string): never {
  console.error(`bench/train: ${text}`);
  process.exit(2);
}
if (options.list) {
  for (const id of [...ALL_CASES.map((one) => one.id), ...OWN]) console.log(id);
  process.exit(0);
}
if (options.cases !== undefined && !named) refuse('no case has these words; --list names all.');
const whole = (value: number): boolean => Number.isInteger(value) && value >= 1;
if (!whole(rounds) || !whole(threads) || !(seconds > 0))
  refuse('rounds and threads are whole numbers from 1 on, seconds a number above 0.');
if (forms.length !== asked.length) refuse(`peers are ${TORCH_FORMS.join(', ')}.`);
if (!torchInstalled()) refuse('PyTorch is not there. Run `bin/basin-node bench/install-torch.ts` once.');

const bareOf = (one: Case): Case => ({...one, id: one.id.replace('.platon.', '.train.'), work: 'train'});

/** Told, and the exit code says so; the other cases go on. */
function fault(text: string): void {
  process.exitCode = 1;
  console.error(`bench/train: ${text}`);
}

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
    const leftOut = ({name, one: {id}}: Contestant, why: string): void => fault(`${id}: ${name} is left out: ${why}`);
    const measured = await measure(contestants, {rounds, duration: 1000 * seconds}, leftOut);
    const of = (name: string, at: string) => measured.find((side) => side.name === name && side.one.id === at);
    const ours = of('basin', one.id);
    if (!ours) return [];
    return forms.flatMap((form) => {
      const name = torchName(form, one);
      const peer = of(name, one.id);
      if (!peer) return [];
      const [ownBare, bare] = [of('basin', bareOf(one).id), of(name, bareOf(one).id)];
      const unlike = workDiffers(ours, peer);
      if (unlike !== undefined) {
        fault(`${one.id}: ${unlike}`);
        return [];
      }
      return [resultOf(ours, peer, one.work === 'platon' && ownBare && bare ? {ours: ownBare, peer: bare} : undefined)];
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
    fault(`${one.id}: ${error instanceof Error ? error.message : String(error)}`);
  }
  rmSync(join(folder, one.id), {recursive: true, force: true});
}
const tell = (result: OwnResult): void =>
  console.log(options.json ? JSON.stringify({...result, machine}) : ownRow(result));
if (own.includes('start')) for (const result of startUps()) tell(result);
if (own.includes('one-alpha')) {
  for await (const result of oneAlphaMore(await loadTensorLibrary('tensorflow', {threads}))) tell(result);
}
