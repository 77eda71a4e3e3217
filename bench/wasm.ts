import {casesNamed} from './cases.ts';
import {readOptions} from './options.ts';
import {resultOf} from './result.ts';
import {measure} from './rounds.ts';
import {workDiffers} from './same-work.ts';
import {basinSide} from './side.ts';
import {tableHead, tableRow} from './table.ts';

/*
 * The wasm back end with our kernels beside TensorFlow.js' own, at the same work in turns; losses must agree.
 *
 *   bin/basin-node bench/wasm.ts [--cases D64-L4.b32.train.fp32] [--rounds 5] [--json]
 */

const {values: options} = readOptions(import.meta.filename, {
  options: {
    cases: {type: 'string', default: 'D64-L4.b32.train.fp32'},
    rounds: {type: 'string', default: '5'},
    json: {type: 'boolean'},
  },
});
const cases = casesNamed(options.cases.split(','));
const rounds = Number(options.rounds);
if (!cases || !(rounds >= 1)) {
  console.error('bench/wasm: no such cases (bench/train.ts --list names them), or no rounds.');
  process.exit(2);
}
if (!options.json) console.log(tableHead());
for (const one of cases) {
  const contestants = [
    {name: 'basin wasm', one, side: basinSide({case: one.id, backend: 'wasm', threads: 1})},
    {name: 'TensorFlow.js wasm', one, side: basinSide({case: one.id, backend: 'stock-wasm', threads: 1})},
  ];
  try {
    const [ours, stock] = await measure(contestants, {rounds, duration: 1000}, ({name}, why) => {
      throw new Error(`${name}: ${why}`);
    });
    if (!ours || !stock) continue;
    const unlike = workDiffers(ours, stock);
    if (unlike !== undefined) throw new Error(unlike);
    const result = resultOf(ours, stock);
    console.log(options.json ? JSON.stringify(result) : tableRow(result));
  } finally {
    for (const {side} of contestants) side.end();
  }
}
