import type {Tf} from '../stages/tensor/library.ts';
import {ALL_CASES} from './cases.ts';
import {median, type OwnResult, ownResult, rounded} from './result.ts';
import {ALPHAS, workOf} from './work.ts';

/*
 * What one alpha more costs beside the whole sweep of 25, reading of the two networks included: the first sweep also records the graph,
 * the others find it. A part of bench/train.
 */

const SWEEPS = 6;

export async function* oneAlphaMore(tf: Tf): AsyncGenerator<OwnResult> {
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
    const times = rounded(median(sweeps.slice(1)) / median(alphas));
    yield {...ownResult(one.id.replace('.sweep.', '.one-alpha.'), alphas), times_in_sweep: times};
    await points.return(undefined);
  }
}
