import {canonicalJson} from '../base/canonical-json.ts';
import type {Json, JsonObject} from '../base/json.ts';
import type {InstanceId} from './graph.ts';

const PLAIN = /^[A-Za-z0-9_.-]+$/;
const READS_AS_OTHER = /^(true|false|null|[-+.]?[0-9].*|[-+]?\.(inf|nan))$/i;

/** A value in an id: its JSON, but for text that can be told from every other value without quotes. */
function valueText(value: Json): string {
  return typeof value === 'string' && PLAIN.test(value) && !READS_AS_OTHER.test(value) ? value : canonicalJson(value);
}

const isInstanceId = (text: string): text is InstanceId => text.length > 0;

/** `node`, or `node[axis=value,…]` with the axes in their order. */
export function instanceId(node: string, axes: JsonObject): InstanceId {
  const values = Object.entries(axes).map(([axis, value]) => `${axis}=${valueText(value)}`);
  const id = values.length === 0 ? node : `${node}[${values.join(',')}]`;
  if (!isInstanceId(id)) throw new Error('Internal error: a node without a name');
  return id;
}
