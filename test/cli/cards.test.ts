import {expect, test} from 'vitest';
import {machineFor} from '../../src/cli/machine.ts';
import {Admission} from '../../src/run/admission.ts';
import {demandOf} from '../../src/run/ledger.ts';
import {declaredStage, graphOf} from '../rig/hand-made-graph.ts';

const tensors = declaredStage('trains', {computes: 'tensors'});
const plain = declaredStage('counts');
const graph = graphOf([...['a', 'b', 'c'].map((id) => ({id, stage: tensors})), {id: 'd', stage: plain}]);

/** Cards of the instances that start at once on a machine with two. */
function cardsUnder(backend: 'cuda' | 'tensorflow', resources: Record<string, number> = {}): readonly string[] {
  const machine = machineFor(
    {graph, plan: {instances: [], reads: new Map()}, manifest: {backend}},
    new Set(),
    ['gpu=2,threads=8'],
    4,
  );
  if (!machine.ok) throw new Error('no machine');
  const admission = new Admission(4, machine.value);
  const started: string[] = [];
  graph.instances.forEach((instance, order) => {
    const own = instance.stage.computes === 'tensors' ? {...instance, resources} : instance;
    admission.add({
      demand: demandOf(own, machine.value),
      priority: 0,
      order,
      run: ({gpus}) => {
        started.push(`${instance.id}:${gpus.join()}`);
        return new Promise(() => {});
      },
      refuse: (lacking) => {
        throw new Error(`${instance.id} lacks ${lacking.join()}`);
      },
    });
  });
  admission.start();
  return started.sort();
}

test('under cuda each card has one instance that computes with tensors, and what does not need it goes beside', () => {
  expect(cardsUnder('cuda')).toEqual(['a:0', 'b:1', 'd:']);
  expect(cardsUnder('cuda', {gpu: 0.5})).toEqual(['a:0', 'b:0', 'c:1', 'd:']);
  expect(cardsUnder('tensorflow')).toEqual(['a:', 'b:', 'c:', 'd:']);
});
