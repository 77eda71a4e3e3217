import {availableParallelism} from 'node:os';
import {loadTensorLibrary} from '../stages/tensor/load.ts';
import {ALL_CASES} from './cases.ts';
import {median} from './result.ts';
import {ALPHAS, workOf} from './work.ts';

/*
 * What one alpha more costs beside the whole sweep of 25, reading of the two networks included: the first sweep also records the graph,
 * the others find it.
 *
 *   bin/basin-node bench/one-alpha.ts
 */

const SWEEPS = 6;
const tf = await loadTensorLibrary('tensorflow', {threads: availableParallelism()});

for (const one of ALL_CASES.filter(({work}) => work === 'sweep')) {
  const points = workOf(tf, one);
  const sweeps: number[] = [];
  const alphas: number[] = [];
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const start = performance.now();
    let last = start;
    for (let point = 0; point < ALPHAS.length; point++) {
      await points.next();
      const now = performance.now();
      if (point > 0) alphas.push(now - last);
      last = now;
    }
    sweeps.push(last - start);
  }
  const [first = 0, ...others] = sweeps;
  const whole = median(others);
  const more = median(alphas);
  const share = `a ${(whole / more).toFixed(1)}th of ${whole.toFixed(0)} ms`;
  console.log(`${one.id}: one alpha more ${more.toFixed(1)} ms, ${share} (first sweep ${first.toFixed(0)} ms)`);
  await points.return(undefined);
}
