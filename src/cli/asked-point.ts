import {own} from '../base/own.ts';
import type {GraphNode, Instance} from '../graph/graph.ts';
import {axisText} from '../graph/instance-id.ts';
import {Faults} from '../spec/faults.ts';
import {readTree} from '../spec/read-tree.ts';
import {jsonOfTree} from '../spec/tree.ts';

/** The point of a node that is asked for: each axis with its value as ids have it. */
export type AskedPoint = ReadonlyMap<string, string>;

/** Texts in quotes, whole, and every other character. */
const PIECES = /"(?:\\.|[^"\\])*"|'[^']*'|./gs;

/**
 * `NODE[axis=value,…]` as a person may write it, in any order and each value as in a pipeline file: `1e-3` is 0.001. Nothing where it is
 * no point of the node's name.
 */
export function askedPoint(name: string, {name: node}: GraphNode): AskedPoint | undefined {
  if (!name.startsWith(`${node}[`) || !name.endsWith(']')) return undefined;
  const point = new Map<string, string>();
  for (const part of partsOf(name.slice(node.length + 1, -1))) {
    const [, axis = '', written = ''] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(part) ?? [];
    const value = valueText(written);
    if (axis === '' || value === undefined || point.has(axis)) return undefined;
    point.set(axis, value);
  }
  return point;
}

/** What commas outside of quotes and brackets separate. */
function partsOf(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const [piece] of text.matchAll(PIECES)) {
    if (piece === '[' || piece === '{') depth += 1;
    if (piece === ']' || piece === '}') depth -= 1;
    if (piece === ',' && depth === 0) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${piece}`);
  }
  return parts;
}

function valueText(written: string): string | undefined {
  if (written.trim() === '') return undefined;
  const faults = new Faults();
  const tree = readTree({name: 'id', text: written}, faults);
  if (!tree || !faults.none) return undefined;
  return axisText(
    jsonOfTree(tree, () => {
      throw new Error('Internal error: an id with an expression');
    }),
  );
}

export function standsAt({axes}: Instance, point: AskedPoint): boolean {
  if (Object.keys(axes).length !== point.size) return false;
  for (const [axis, text] of point) {
    const value = own(axes, axis);
    if (value === undefined || axisText(value) !== text) return false;
  }
  return true;
}

/** The point as its id would be, had the node one there: its own axes first, in their order. */
export function idAt({name, axes}: GraphNode, point: AskedPoint): string {
  const order = [...axes.map((axis) => axis.name), ...point.keys()];
  const written = [...new Set(order)].flatMap((axis) => {
    const text = point.get(axis);
    return text === undefined ? [] : [`${axis}=${text}`];
  });
  return `${name}[${written.join(',')}]`;
}
