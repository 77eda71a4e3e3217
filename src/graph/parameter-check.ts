import {canonicalJson} from '../base/canonical-json.ts';
import type {JsonObject} from '../base/json.ts';
import type {Stage} from '../stage/define-stage.ts';
import {checkedBy} from '../stage/schema-output.ts';
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
    const fresh = this.#checked(stage, raw);
    ofStage.set(text, fresh);
    return fresh;
  }

  #checked(stage: Stage, raw: JsonObject): Validated {
    const checked = checkedBy(stage.params, raw);
    switch (checked.state) {
      case 'good':
        return {ok: true, params: this.#share(checked.output)};
      case 'bad-values':
        return {ok: false, faults: parameterFaults(stage, raw, checked.error.issues)};
      case 'bad-schema':
        return {ok: false, faults: checked.faults.map((fault) => ({kind: 'bad', ...fault}))};
    }
  }

  /** Equal parameters are one object, whether a default was written out or not. */
  #share(params: JsonObject): JsonObject {
    const text = canonicalJson(params);
    const known = this.#shared.get(text) ?? params;
    this.#shared.set(text, known);
    return known;
  }
}
