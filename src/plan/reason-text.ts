import {canonicalJson} from '../base/canonical-json.ts';
import {isDigest} from '../base/digest.ts';
import {isJsonObject, type Json} from '../base/json.ts';
import type {InstanceId} from '../graph/graph.ts';
import {isReference, nameOfModule} from '../stage/module-reference.ts';
import type {Change, Reason} from './verdict.ts';

const MOST_NAMED = 3;
const LONGEST_VALUE = 40;

/** Why, in one line: `lr 0.0005 → 0.001`, `finetune-B runs`; of data that cannot be had also what to do. */
export function reasonText(reason: Reason): string {
  switch (reason.why) {
    case 'cached':
      return 'cached';
    case 'never-run':
      return 'has not run before';
    case 'failed':
      return `failed when it last ran: ${reason.message.split('\n', 1)[0]}`;
    case 'changed': {
      const {changes, upstream = []} = reason;
      const changed = changes.length === 0 ? 'changed since it last ran' : some(changes.map(changeText), ', ');
      return upstream.length === 0 ? changed : `${changed}; ${runningText(upstream)}`;
    }
    case 'upstream':
      return runningText(reason.upstream);
    case 'upstream-remade':
      return `${some(reason.upstream, ', ')} ${reason.upstream.length === 1 ? 'is' : 'are'} computed again`;
    case 'same-work':
      return `the same as ${reason.as}, which is computed again`;
    case 'upstream-unresolved':
      return `${some(reason.upstream, ', ')} cannot run`;
    case 'forced':
      return 'asked for with --force';
    case 'payload-missing':
      return `its ${reason.artifact} file is needed and no longer in the cache`;
    case 'output-lost':
      return 'a stored output of it is missing or damaged';
    case 'payload-perhaps-needed':
      return `its ${reason.artifact} file may be needed and is no longer in the cache`;
    case 'record-missing':
      return 'its result is no longer in the cache';
    case 'unresolved':
      return `${reason.parameter}: ${reason.detail}${reason.hint === undefined ? '' : ` ${reason.hint}`}`;
    case 'backend-unknown':
      return 'depends on the backend, which is not set up yet';
  }
}

const runningText = (upstream: readonly InstanceId[]): string =>
  `${some(upstream, ', ')} ${upstream.length === 1 ? 'runs' : 'run'}`;

/** One changed field: `lr 0.0005 → 0.001`; of a digest only that it changed. */
function changeText({path, before, after}: Change): string {
  const name = path.replace(/^(params|inputs)\./, '');
  if (isJsonObject(after) && typeof after.awaits === 'string') return `${name} awaits ${after.awaits}`;
  if (before === undefined) return `${name} is new`;
  if (after === undefined) return `${name} is gone`;
  if (isHash(before) && isHash(after)) return path === 'version' ? 'its code changed' : `${name} changed`;
  if (isModule(before) && isModule(after)) return `${name}: the code of ${nameOfModule(after) ?? 'its file'} changed`;
  const text = path.startsWith('params.env.') ? variableText : valueText;
  return `${name} ${text(before)} → ${text(after)}`;
}

/** Of a variable that is passed on there is a digest, which says nothing to a reader. */
const variableText = (value: Json): string =>
  value === null ? 'not set' : isJsonObject(value) ? 'passed on' : valueText(value);

const isModule = (value: Json): value is string => typeof value === 'string' && isReference(value);
const isHash = (value: Json): boolean => typeof value === 'string' && isDigest(value);

function valueText(value: Json): string {
  const name = isModule(value) ? nameOfModule(value) : undefined;
  if (name !== undefined) return name;
  const text = typeof value === 'string' && /^[\w.:/-]+$/.test(value) ? value : canonicalJson(value);
  return text.length <= LONGEST_VALUE ? text : `${text.slice(0, LONGEST_VALUE - 1)}…`;
}

/** The first few of many. */
export function some(texts: readonly string[], separator: string): string {
  const named = texts.slice(0, MOST_NAMED).join(separator);
  return texts.length <= MOST_NAMED ? named : `${named} and ${texts.length - MOST_NAMED} more`;
}
