import type {Json} from '../base/json.ts';
import {pathOf} from './expression.ts';
import type {Faults} from './faults.ts';
import {
  addTemplateFault,
  evaluateTemplate,
  parseTemplate,
  type TextTemplate,
  variablesOf,
  wholeHole,
} from './template.ts';
import {type Entry, innermost, jsonOfTree, type MapTree, type Place, type Tree, treeOfJson} from './tree.ts';

/** More values than this may not come out of `${…}`. */
const MOST_VALUES = 2_000_000;
const LONGEST_CHAIN = 50;

/** What a param turned out to be; `undefined` inside stands for one that has a fault of its own. */
interface Param {
  readonly tree: Tree;
  readonly json: Json;
  readonly size: number;
}

/** Puts the values of params into `${…}`; what needs an axis stays pending. */
export class Resolver {
  readonly #raw: ReadonlyMap<string, Entry>;
  readonly #faults: Faults;
  readonly #done = new Map<string, Param | undefined>();
  readonly #open: string[] = [];
  #budget = MOST_VALUES;

  constructor(params: MapTree, faults: Faults) {
    this.#raw = params.entries;
    this.#faults = faults;
  }

  get names(): readonly string[] {
    return [...this.#raw.keys()];
  }

  has(name: string): boolean {
    return this.#raw.has(name);
  }

  /** All params as JSON, without those that have a fault. */
  get values(): ReadonlyMap<string, Json> {
    const values = new Map<string, Json>();
    for (const name of this.#raw.keys()) {
      const param = this.#param(name, undefined);
      if (param) values.set(name, param.json);
    }
    return values;
  }

  /** The tree with params in place, or nothing when a part of it has a fault (reported, or that of a param). */
  resolve(tree: Tree): Tree | undefined {
    return this.#measured(tree)?.tree;
  }

  #measured(tree: Tree): {tree: Tree; size: number} | undefined {
    switch (tree.kind) {
      case 'pending':
        return {tree, size: 1};
      case 'scalar':
        return typeof tree.value === 'string' && !tree.computed ? this.#text(tree.value, tree.at) : {tree, size: 1};
      case 'list': {
        const items: Tree[] = [];
        let size = 1;
        for (const item of tree.items) {
          const inner = this.#measured(item);
          if (inner) items.push(inner.tree);
          size += inner?.size ?? 0;
        }
        return items.length === tree.items.length ? {tree: {...tree, items}, size} : undefined;
      }
      case 'map': {
        const entries = new Map<string, Entry>();
        let size = 1;
        for (const entry of tree.entries.values()) {
          const inner = this.#measured(entry.value);
          if (inner) entries.set(entry.name, {...entry, value: inner.tree});
          size += inner?.size ?? 0;
        }
        return entries.size === tree.entries.size ? {tree: {...tree, entries}, size} : undefined;
      }
    }
  }

  #text(text: string, at: Place): {tree: Tree; size: number} | undefined {
    const parsed = parseTemplate(text);
    if (!parsed.ok) {
      addTemplateFault(this.#faults, at, parsed.error);
      return undefined;
    }
    const template = parsed.value;
    if (template === undefined) return {tree: {kind: 'scalar', value: text, at}, size: 1};
    const variables = variablesOf(template);
    const params = new Map<string, Param>();
    for (const name of variables) {
      if (!this.#raw.has(name)) continue;
      const param = this.#param(name, at);
      if (!param) return undefined;
      params.set(name, param);
    }
    const passed = this.#passedThrough(template, params);
    if (passed) return this.#spend(passed.size, at) ? passed : undefined;
    if (variables.some((name) => !params.has(name))) return {tree: {kind: 'pending', template, at}, size: 1};
    const value = evaluateTemplate(
      template,
      new Map([...params].map(([name, {json}]): [string, Json] => [name, json])),
    );
    if (!value.ok) {
      addTemplateFault(this.#faults, at, value.error);
      return undefined;
    }
    const size = sizeOf(value.value);
    return this.#spend(size, at) ? {tree: treeOfJson(value.value, at), size} : undefined;
  }

  /** `${name}` or `${name.part}` alone: the param's own tree, so that its places are kept. */
  #passedThrough(template: TextTemplate, params: ReadonlyMap<string, Param>): Param | undefined {
    const path = pathOf(wholeHole(template)?.expression.text ?? '');
    if (path === undefined) return undefined;
    const [name = '', ...steps] = path;
    const param = params.get(name);
    if (!param || steps.length === 0) return param;
    let entries = param.tree;
    for (const step of steps) {
      const next = entries.kind === 'map' ? entries.entries.get(step)?.value : undefined;
      if (!next) return undefined;
      entries = next;
    }
    return {tree: innermost(param.tree, steps), json: null, size: param.size};
  }

  #spend(size: number, at: Place): boolean {
    this.#budget -= size;
    if (this.#budget >= 0) return true;
    const message = `The params of this pipeline expand to more than ${MOST_VALUES} values.`;
    this.#faults.add('too-large', at, message, 'Make the lists shorter, or use them in fewer places.');
    return false;
  }

  #param(name: string, from: Place | undefined): Param | undefined {
    if (this.#done.has(name)) return this.#done.get(name);
    const entry = this.#raw.get(name);
    if (!entry) return undefined;
    const open = this.#open.indexOf(name);
    if (open >= 0 || this.#open.length >= LONGEST_CHAIN) {
      const chain = open >= 0 ? [...this.#open.slice(open), name] : this.#open.slice(0, 3).concat('…');
      const message =
        open >= 0
          ? `These params need each other: ${chain.join(' → ')}.`
          : `Params refer to params more than ${LONGEST_CHAIN} deep.`;
      this.#faults.add('param-cycle', from ?? entry.keyAt, message, 'Give one of them a plain value.');
      return undefined;
    }
    this.#open.push(name);
    const inner = this.#measured(entry.value);
    this.#open.pop();
    const param = inner && this.#finished(inner);
    this.#done.set(name, param);
    return param;
  }

  /** A param may need other params only: an axis belongs to a node. */
  #finished({tree, size}: {tree: Tree; size: number}): Param | undefined {
    let whole = true;
    const json = jsonOfTree(tree, (template, at) => {
      whole = false;
      this.reportPending(template, at);
      return null;
    });
    return whole ? {tree, json, size} : undefined;
  }

  /** Reports names that are no params, where only params can be used. */
  reportPending(template: TextTemplate, at: Place): void {
    const value = evaluateTemplate(template, this.#known());
    if (!value.ok)
      addTemplateFault(this.#faults, at, {
        ...value.error,
        message: value.error.message.replace('neither a param nor an axis of this node', 'not a param'),
        hint: value.error.hint?.replace('params and axes', 'params') ?? 'Only params can be used here.',
      });
  }

  #known(): ReadonlyMap<string, Json> {
    return new Map([...this.#raw.keys()].map((name): [string, Json] => [name, this.#done.get(name)?.json ?? null]));
  }
}

function sizeOf(value: Json): number {
  if (value === null || typeof value !== 'object') return 1;
  let size = 1;
  for (const item of Array.isArray(value) ? value : Object.values(value)) size += sizeOf(item);
  return size;
}
