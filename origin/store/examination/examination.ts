/**
 * What a declaration means for the documents that are stored: a function of a resource and of documents as an engine gives
 * them, in which nothing is written and no value is told (it may be a secret): paths, types, counts and ids alone.
 */
import type { FieldKind } from '../../../shared/contract/fields.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import type { Json } from '../../../shared/wire/values.ts';
import { DocumentWalk } from './document-walk.ts';
import { Renames } from './renames.ts';

export interface ExaminedDocument {
  /** The id by which it is asked for; `undefined`: of another kind than declared, so that nobody is served it. */
  readonly id: string | undefined;
  /** Names it where it has no such id. */
  readonly key: string;
  /** The engine's word for the type of its key. */
  readonly keyType: string;
  /** Its members as they are stored, without the key. */
  readonly members: Readonly<Record<string, unknown>>;
}

/** The types of an engine, by its own words. */
export interface StoredTypes {
  typeOf(value: unknown): string;
  /** As which a value of this kind may be stored. */
  typesOf(kind: Exclude<FieldKind, 'mixed'>): readonly string[];
  toJson(value: unknown): Json;
}

export interface Found {
  readonly count: number;
  /** Ids of the first. */
  readonly examples: readonly string[];
}

/** Paths name wire members, through arrays and the keys of records without saying which. */
export interface Examination {
  readonly resource: string;
  /** How many were read. */
  readonly documents: number;
  /** Whether those are all. */
  readonly isComplete: boolean;
  /** How many of them have nothing to be told of but what is undeclared. */
  readonly fitting: number;
  /** Ids of another kind than declared, by their type. */
  readonly ids: readonly (Found & { readonly type: string })[];
  readonly missing: readonly (Found & { readonly path: string; readonly hasDefault: boolean })[];
  readonly types: readonly (Found & { readonly path: string; readonly declared: string; readonly stored: string })[];
  readonly invalid: readonly (Found & { readonly path: string; readonly message: string })[];
  readonly undeclared: readonly { readonly path: string; readonly count: number }[];
  /** Whether the resource serves what it does not declare (`extra`). */
  readonly servesUndeclared: boolean;
  /** Members that are declared and nowhere, with undeclared ones that are everywhere and hold what fits. */
  readonly renames: readonly { readonly path: string; readonly storedAs: readonly string[] }[];
  /** What was found past the bound of a list. */
  readonly unlisted: number;
}

export const examinationLimits = {
  /** Of each list: more kinds of fault than these are one fault, which is seen from these. */
  listedMax: 100,
  examplesMax: 3,
} as const;

export async function examine(
  resource: Resource,
  documents: Iterable<ExaminedDocument> | AsyncIterable<ExaminedDocument>,
  { types, isComplete }: { readonly types: StoredTypes; isComplete(): boolean },
): Promise<Examination> {
  const examiner = new Examiner(resource, types);
  for await (const document of documents) examiner.add(document);
  return { ...examiner.result(), isComplete: isComplete() };
}

class Examiner {
  readonly #resource: Resource;
  readonly #walk: DocumentWalk;
  readonly #renames: Renames;
  readonly #tallies = { ids: new Tally(), missing: new Tally(), types: new Tally(), invalid: new Tally(), undeclared: new Tally() };
  #documents = 0;
  #fitting = 0;

  constructor(resource: Resource, types: StoredTypes) {
    this.#resource = resource;
    this.#renames = new Renames(types);
    this.#walk = new DocumentWalk(resource, types);
  }

  add({ id, key, keyType, members }: ExaminedDocument): void {
    this.#documents++;
    // What nobody is served need not fit.
    if (id === undefined) return this.#tallies.ids.add([keyType], key);
    const { noted, objects } = this.#walk.of(members);
    // An array of a thousand wrong elements is one document.
    const distinct = new Map(noted.map((each) => [[each.list, ...each.parts].join('\0'), each]));
    for (const { list, parts } of distinct.values()) this.#tallies[list].add(parts, id);
    for (const object of objects) this.#renames.add(object);
    if (noted.every(({ list }) => list === 'undeclared')) this.#fitting++;
  }

  result(): Omit<Examination, 'isComplete'> {
    const { ids, missing, types, invalid, undeclared } = this.#tallies;
    return {
      resource: this.#resource.name, documents: this.#documents, fitting: this.#fitting,
      ids: ids.found.map(([[type = ''], found]) => ({ type, ...found })),
      missing: missing.found.map(([[path = '', absence], found]) => ({ path, hasDefault: absence === 'default', ...found })),
      types: types.found.map(([[path = '', declared = '', stored = ''], found]) => ({ path, declared, stored, ...found })),
      invalid: invalid.found.map(([[path = '', message = ''], found]) => ({ path, message, ...found })),
      undeclared: undeclared.found.map(([[path = ''], { count }]) => ({ path, count })),
      servesUndeclared: this.#resource.extra === 'serve',
      renames: this.#renames.found,
      unlisted: Object.values(this.#tallies).reduce((sum, { unlisted }) => sum + unlisted, 0),
    };
  }
}

/** Documents counted by what was found in them. */
class Tally {
  readonly #found = new Map<string, { readonly parts: readonly string[]; count: number; readonly examples: string[] }>();
  unlisted = 0;

  add(parts: readonly string[], id: string): void {
    const name = parts.join('\0');
    const known = this.#found.get(name);
    if (known === undefined && this.#found.size >= examinationLimits.listedMax) {
      this.unlisted++;
      return;
    }
    const entry = known ?? { parts, count: 0, examples: [] };
    entry.count++;
    if (entry.examples.length < examinationLimits.examplesMax) entry.examples.push(id);
    this.#found.set(name, entry);
  }

  /** What is most often comes first. */
  get found(): readonly (readonly [readonly string[], Found])[] {
    const entries = [...this.#found.values()].sort((a, b) => b.count - a.count || (a.parts.join() < b.parts.join() ? -1 : 1));
    return entries.map(({ parts, count, examples }) => [parts, { count, examples }]);
  }
}
