import {formatBytes} from '../base/byte-size.ts';
import type {Diagnostic} from '../base/diagnostic.ts';
import {nearestName} from '../base/nearest.ts';
import type {Graph} from '../graph/graph.ts';
import type {Plan} from '../plan/verdict.ts';
import type {Machine} from './ledger.ts';

const shown = (name: string, amount: number): string => (name === 'memory' ? formatBytes(amount) : String(amount));

/** What nodes that will run ask for and a machine can never give; what waited for it would wait for ever. */
export function unmetDemands(
  graph: Graph,
  {instances}: Plan,
  wanted: ReadonlySet<number>,
  {gpus, amounts}: Machine,
): readonly Diagnostic[] {
  const has = new Map([...Object.entries(amounts), ['gpu', gpus.length] as const]);
  const running = new Set(
    instances.flatMap(({instance: {index, node}, verdict}) =>
      verdict !== 'cached' && wanted.has(index) ? [node] : [],
    ),
  );
  return graph.nodes
    .filter(({name}) => running.has(name))
    .flatMap((node) =>
      [...node.resources].flatMap(([name, {amount, keyAt, at}]): readonly Diagnostic[] => {
        const there = has.get(name);
        if (there === undefined) {
          const near = nearestName(name, has.keys());
          const hint =
            near === undefined ? `Say how much there is: --resources ${name}=${amount}.` : `Did you mean "${near}"?`;
          return [{code: 'unknown-resource', message: `This machine has nothing named "${name}".`, hint, at: keyAt}];
        }
        if (amount <= there) return [];
        const message = `"${node.name}" needs ${shown(name, amount)} of "${name}", and this machine has ${there === 0 ? 'none' : shown(name, there)}.`;
        const hint = `Ask for less, or run it on a larger machine. If basin is wrong about this one, say so: --resources ${name}=${shown(name, amount).replace(' ', '')}.`;
        return [{code: 'unmet-demand', message, hint, at}];
      }),
    );
}
