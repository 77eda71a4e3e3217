import {canonicalJson} from '../base/canonical-json.ts';
import {type Digest, digestOf} from '../base/digest.ts';
import type {Json} from '../base/json.ts';
import type {Package} from './package-version.ts';

/** Where an import leads: to another of the user's files, to a file of a package, or to what has no content here and is known by its name. */
export type Target =
  | {readonly to: 'file'; readonly path: string}
  | {readonly to: 'package'; readonly package: string; readonly path: string}
  | {readonly to: 'name'; readonly name: string};

/** One of the user's own files, with what each of its imports leads to. */
export interface OwnFile {
  readonly digest: Digest;
  readonly imports: ReadonlyMap<string, Target>;
}

/**
 * The digest of what an entry imports and of which import leads where. The files are numbered as they are first reached, so it is the
 * same wherever they lie and whatever they are called, for an import says that by what it leads to.
 *
 * @param entry nothing where a loader that is not Node's own, as a test runner's, told of no file.
 * @param files by path, of which the entry is one.
 * @param packages by the path of their package.json.
 */
export function digestOfGraph(
  entry: string | undefined,
  files: ReadonlyMap<string, OwnFile>,
  packages: ReadonlyMap<string, Package>,
): Digest {
  const likes = alike(packages);
  const [ownFiles, ownPackages] = [new Numbers(), new Numbers()];
  const numberOf = (manifest: string): number => ownPackages.of(likes.get(manifest) ?? manifest);
  const shown = (target: Target): Json => {
    if (target.to === 'name') return target.name;
    return target.to === 'file' ? ownFiles.of(target.path) : [numberOf(target.package), target.path];
  };
  if (entry !== undefined) ownFiles.of(entry);
  const modules: Json[] = [];
  for (const path of ownFiles.all()) {
    const {digest, imports} = files.get(path) ?? missing(path);
    modules.push([digest, Object.fromEntries(sorted(imports).map(([name, target]) => [name, shown(target)]))]);
  }
  const installed: Json[] = [];
  for (const manifest of ownPackages.all()) {
    const {identity, needs} = packages.get(manifest) ?? missing(manifest);
    installed.push([identity, Object.fromEntries(sorted(needs).map(([name, path]) => [name, numberOf(path)]))]);
  }
  return digestOf(canonicalJson({modules, packages: installed}));
}

/** Numbers from 0, in the order in which they are asked for. */
class Numbers {
  readonly #numbers = new Map<string, number>();

  of(name: string): number {
    const number = this.#numbers.get(name) ?? this.#numbers.size;
    this.#numbers.set(name, number);
    return number;
  }

  /** With those that are asked for meanwhile. */
  all(): Iterable<string> {
    return this.#numbers.keys();
  }
}

const sorted = <T>(names: ReadonlyMap<string, T>): readonly (readonly [string, T])[] =>
  [...names].sort(([one], [other]) => (one < other ? -1 : 1));

function missing(path: string): never {
  throw new Error(`Internal error: ${path} is in no closure`);
}

/**
 * For each package one that stands for all of its version whose imports lead to the same: how often a version is installed is up to who
 * installs it. They are told apart round by round, by what their imports lead to, until a round tells no more.
 */
function alike(packages: ReadonlyMap<string, Package>): ReadonlyMap<string, string> {
  let firsts: ReadonlyMap<string, string> = new Map();
  for (let count = 0; ; ) {
    const byText = new Map<string, string>();
    const next = new Map<string, string>();
    for (const [manifest, {identity, needs}] of packages) {
      const leads = [...needs].map(([name, path]): [string, string] => [name, firsts.get(path) ?? '']);
      const text = canonicalJson([identity, Object.fromEntries(leads)]);
      const first = byText.get(text) ?? manifest;
      byText.set(text, first);
      next.set(manifest, first);
    }
    if (byText.size === count) return next;
    count = byText.size;
    firsts = next;
  }
}
