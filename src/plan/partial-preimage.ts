import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {Binding, Instance} from '../graph/graph.ts';
import type {OutputRecord} from '../store/record.ts';
import {type Identified, staticPreimage} from './key.ts';

/** The output of an instance when it is cached; nothing while it still has to run. */
export type KnownOutputsOf = (index: number, artifact: string) => OutputRecord | undefined;

/**
 * A preimage as far as it is known before upstream has run. What a running instance will give stands as `{awaits: id}`, which no
 * preimage of a record holds.
 */
export function partialPreimage(
  {instance, identity}: Identified,
  outputsOf: KnownOutputsOf,
  instances: readonly Instance[],
  numerics: string | undefined,
): JsonObject {
  const part = (binding: Binding): Json => {
    if (binding.many)
      return binding.members.map(({axes, from, artifact}) => ({
        axes,
        digest: outputsOf(from, artifact)?.digest ?? awaits(instances[from]),
      }));
    const output = outputsOf(binding.from, binding.artifact);
    return output ? {kind: output.kind, digest: output.digest} : awaits(instances[binding.from]);
  };
  const inputs = Object.entries(instance.inputs).map(([name, binding]) => [name, part(binding)]);
  return {...staticPreimage({instance, identity}, numerics), inputs: Object.fromEntries(inputs)};
}

const awaits = (upstream: Instance | undefined): JsonObject => ({awaits: upstream?.id ?? ''});
/** Whether it stands for what a running instance will give. */
export const isAwaited = (value: Json): boolean => isJsonObject(value) && Object.hasOwn(value, 'awaits');

/**
 * Whether recorded inputs could be the partial ones once upstream has run: everything known agrees.
 *
 * @param lost Ids of instances that may give nothing: what is gathered may go without them.
 */
export function couldBecome(partial: Json, recorded: Json | undefined, lost: ReadonlySet<string>): boolean {
  if (isAwaited(partial)) return recorded !== undefined;
  if (recorded === undefined) return false;
  if (isJsonObject(partial) && isJsonObject(recorded)) {
    const names = Object.keys(partial);
    return (
      names.length === Object.keys(recorded).length &&
      names.every((name) =>
        couldBecome(partial[name] ?? null, Object.hasOwn(recorded, name) ? recorded[name] : undefined, lost),
      )
    );
  }
  if (isList(partial) && isList(recorded)) return couldBecomeMembers(partial, recorded, lost);
  return partial === recorded;
}

/** Both in one order, that of the members' axes. */
function couldBecomeMembers(partial: readonly Json[], recorded: readonly Json[], lost: ReadonlySet<string>): boolean {
  let met = 0;
  for (const member of partial) {
    if (couldBecome(member, recorded[met], lost)) met += 1;
    else if (!isLost(member, lost)) return false;
  }
  return met === recorded.length;
}

function isLost(member: Json, lost: ReadonlySet<string>): boolean {
  const digest = isJsonObject(member) ? member.digest : undefined;
  return isJsonObject(digest) && typeof digest.awaits === 'string' && lost.has(digest.awaits);
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
