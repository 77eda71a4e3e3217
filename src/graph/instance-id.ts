import {canonicalJson} from '../base/canonical-json.ts';
import type {Json, JsonObject} from '../base/json.ts';
import type {InstanceId} from './graph.ts';

const PLAIN = /^[A-Za-z0-9_.-]+$/;
const READS_AS_OTHER = /^(true|false|null|[-+.]?[0-9].*|[-+]?\.(inf|nan))$/i;

/** What a terminal obeys or does not show; JSON leaves it as it is, a person could neither see nor copy it. */
const UNSEEN = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

/** A value in an id: its JSON, but for text that can be told from every other value without quotes. */
export function axisText(value: Json): string {
  if (typeof value === 'string' && PLAIN.test(value) && !READS_AS_OTHER.test(value)) return value;
  return canonicalJson(value).replace(UNSEEN, (character) =>
    character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );
}

const isInstanceId = (text: string): text is InstanceId => text.length > 0;

/** `[axis=value,…]`, or nothing where there are no axes. */
export function pointText(axes: JsonObject): string {
  const values = Object.entries(axes).map(([axis, value]) => `${axis}=${axisText(value)}`);
  return values.length === 0 ? '' : `[${values.join(',')}]`;
}

/** `node`, or `node[axis=value,…]` with the axes in their order. */
export function instanceId(node: string, axes: JsonObject): InstanceId {
  const id = `${node}${pointText(axes)}`;
  if (!isInstanceId(id)) throw new Error('Internal error: a node without a name');
  return id;
}
