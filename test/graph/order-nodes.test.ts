import fc from 'fast-check';
import {DirectedGraph} from 'graphology';
import {topologicalSort} from 'graphology-dag';
import {expect, test} from 'vitest';
import {readPipeline} from '../../src/graph/read-pipeline.ts';
import {countingStages} from '../rig/counting-stages.ts';

/** For each node the earlier ones that it adds; two of its inputs at most. */
const dag = fc.array(fc.tuple(fc.nat(), fc.nat()), {minLength: 3, maxLength: 30});

test('nodes come upstream first, in the order of a graph library, however the file has them', () => {
  fc.assert(
    fc.property(dag, fc.boolean(), (picks, backwards) => {
      const nodes = picks.map(([a, b], at) => ({
        name: `n${at}`,
        inputs: at < 2 ? [] : [`n${a % at}`, `n${b % at}`],
      }));
      const written = backwards ? nodes.toReversed() : nodes;
      const lines = written.map(({name, inputs: [a, b]}) =>
        a === undefined
          ? `${name}: {uses: number, with: {value: 1}}`
          : `${name}: {uses: add, in: {a: ${a}.summary, b: ${b}.summary}}`,
      );
      const read = readPipeline({path: 'p.yaml', text: `stages:\n  ${lines.join('\n  ')}`}, countingStages);
      const graph = new DirectedGraph();
      for (const {name} of written) graph.addNode(name);
      for (const {name, inputs} of written) for (const from of inputs) graph.mergeDirectedEdge(from, name);
      expect(read.ok && read.value.instances.map(({node}) => node)).toEqual(topologicalSort(graph));
    }),
    {numRuns: 200, seed: 1},
  );
});
