// An index: its declaration, its ordered keys, and what it knows of arrays below it.
import type { Collation } from '../values/collation.ts';
import type { Doc } from '../values/types.ts';
import { type IndexField, keysOf, plainKey } from './index-keys.ts';
import { SortedKeys } from './sorted-keys.ts';

export type IndexSpec = {
  name: string;
  fields: IndexField[];
  pattern: Doc;
  unique: boolean;
  sparse: boolean;
  hidden: boolean;
  collation: Collation | null;
  partial: { filter: Doc; test: (doc: Doc) => boolean } | null;
  expireAfterSeconds: number | null;
  kind: 'btree' | 'hashed' | 'wildcard' | '2dsphere' | 'text';
  options: Doc; // as listIndexes gives it back
};

export class Index {
  spec: IndexSpec;
  readonly entries = new SortedKeys();
  readonly multikeyPaths = new Set<string>();
  readonly topFields: readonly string[];
  private readonly isPlain: boolean; // no dotted path
  accesses = 0;

  constructor(spec: IndexSpec) {
    this.spec = spec;
    this.isPlain = spec.fields.every(field => !field.path.includes('.'));
    this.topFields = spec.fields.map(field => field.path.split('.')[0] as string);
  }

  keysOf(doc: Doc): string[] {
    const { spec } = this;
    if (spec.kind !== 'btree') return [];
    if (spec.partial && !spec.partial.test(doc)) return [];
    if (this.isPlain && !spec.sparse) {
      const key = plainKey(doc, spec.fields, spec.collation);
      if (key !== null) return [key];
    }
    const { keys, multikeyPaths } = keysOf(doc, spec.fields, spec.collation, spec.sparse);
    for (const path of multikeyPaths) this.multikeyPaths.add(path);
    return keys;
  }

  // Cheap and safe: stored documents share what an update leaves alone.
  isUntouched(before: Doc, after: Doc): boolean {
    if (this.spec.partial) return false;
    for (const name of this.topFields) if (before[name] !== after[name]) return false;
    return true;
  }

  // The duplicate error's `keyValue`.
  valuesFor(doc: Doc): Doc {
    const { values } = keysOf(doc, this.spec.fields, this.spec.collation, false);
    return Object.fromEntries(this.spec.fields.map(({ path }, i) => [path, values[i] ?? null]));
  }
}
