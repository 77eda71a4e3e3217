import {canonicalJson} from '../base/canonical-json.ts';
import {isJsonObject, type Json, type JsonObject} from '../base/json.ts';
import type {Stage} from '../stage/define-stage.ts';
import {type ParameterFault, parameterFaults} from './parameter-fault.ts';

type Validated =
  | {readonly ok: true; readonly params: JsonObject}
  | {readonly ok: false; readonly faults: readonly ParameterFault[]};

/** Validates equal raw parameters of a stage once. */
export class ParameterCheck {
  readonly #seen = new Map<Stage, Map<string, Validated>>();
  readonly #shared = new Map<string, JsonObject>();

  validate(stage: Stage, raw: JsonObject): Validated {
    let ofStage = this.#seen.get(stage);
    if (!ofStage) {
      ofStage = new Map();
      this.#seen.set(stage, ofStage);
    }
    const text = canonicalJson(raw);
    const known = ofStage.get(text);
    if (known) return known;
    const parsed = stage.params.safeParse(raw);
    const fresh: Validated = parsed.success
      ? {ok: true, params: this.#share(paramsOf(stage, parsed.data))}
      : {ok: false, faults: parameterFaults(stage, raw, parsed.error.issues)};
    ofStage.set(text, fresh);
    return fresh;
  }

  /** Equal parameters are one object, whether a default was written out or not. */
  #share(params: JsonObject): JsonObject {
    const text = canonicalJson(params);
    const known = this.#shared.get(text) ?? params;
    this.#shared.set(text, known);
    return known;
  }
}

function paramsOf(stage: Stage, output: unknown): JsonObject {
  const json = jsonOf(output);
  if (!isJsonObject(json)) throw new Error(`Internal error: the parameters of "${stage.name}" are no JSON object`);
  return json;
}

/** What is absent in memory is absent in JSON; anything else that JSON cannot hold is a mistake of the stage's schema. */
function jsonOf(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new Error('Internal error: a schema gave a number that JSON cannot hold');
      return value === 0 ? 0 : value;
    case 'undefined':
      return undefined;
    case 'object': {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((item) => jsonOf(item) ?? null);
      if (![null, Object.prototype].includes(Object.getPrototypeOf(value))) break;
      const object: Record<string, Json> = {};
      for (const [name, item] of Object.entries(value)) {
        const json = jsonOf(item);
        if (json !== undefined) object[name] = json;
      }
      return object;
    }
  }
  throw new Error('Internal error: a schema gave a value that JSON cannot hold');
}
