// One member's data: databases, collections, and the queue of old versions waiting for their last reader.
import { UUID } from 'bson';
import { fail } from '../errors.ts';
import type { Operation } from '../replica/oplog.ts';
import { keyOf } from '../values/key-string.ts';
import type { Doc } from '../values/types.ts';
import { toIndex } from './index-spec.ts';
import { Collection } from './collection.ts';
import { latestDoc, type StoredRecord } from './records.ts';
import { compileValidator } from './validation.ts';

type Garbage = { at: number; collection: Collection; record: StoredRecord };

export class Store {
  readonly databases = new Map<string, Map<string, Collection>>();
  private garbage: Garbage[] = [];
  private garbageStart = 0;

  get(db: string, name: string): Collection | null {
    return this.databases.get(db)?.get(name) ?? null;
  }

  byUuid(uuid: UUID): Collection | null {
    for (const collections of this.databases.values()) for (const collection of collections.values()) if (collection.uuid.equals(uuid)) return collection;
    return null;
  }

  // Notes a record whose older versions can go once no reader needs them.
  readonly onObsolete = (collection: Collection, record: StoredRecord): void => {
    this.garbage.push({ at: record.head?.at ?? 0, collection, record });
  };

  collect(horizon: number): void {
    while (this.garbageStart < this.garbage.length) {
      const { at, collection, record } = this.garbage[this.garbageStart] as Garbage;
      if (at > horizon) break;
      collection.prune(record, horizon);
      this.garbageStart++;
    }
    if (this.garbageStart > 1024 && this.garbageStart * 2 > this.garbage.length) { this.garbage = this.garbage.slice(this.garbageStart); this.garbageStart = 0; }
  }

  apply(operation: Operation, at: number): void {
    switch (operation.kind) {
      case 'noop': return;
      case 'insert': this.write(operation.db, operation.collection, operation.doc['_id'], operation.doc, at); return;
      case 'update': this.write(operation.db, operation.collection, operation.id, operation.doc, at); return;
      case 'delete': this.write(operation.db, operation.collection, operation.id, null, at); return;
      case 'create': this.create(operation.db, operation.collection, operation.uuid, operation.options, at); return;
      case 'drop': this.drop(operation.db, operation.collection); return;
      case 'dropDatabase': this.databases.delete(operation.db); return;
      case 'rename': this.rename(operation); return;
      case 'createIndexes': for (const spec of operation.specs) this.must(operation.db, operation.collection).buildIndex(toIndex(spec)); return;
      case 'dropIndexes': for (const spec of operation.specs) this.must(operation.db, operation.collection).indexes.delete(String(spec['name'])); return;
      case 'collMod': this.modify(operation); return;
    }
  }

  private write(db: string, name: string, id: unknown, doc: Doc | null, at: number): void {
    const collection = this.must(db, name);
    const record = collection.byId.get(keyOf(id)) ?? null;
    const living = record && (latestDoc(record) !== null || doc === null) ? record : null;
    collection.put(living, doc, { at, holder: null, snapshotAt: Infinity }, obsolete => this.onObsolete(collection, obsolete));
  }

  create(db: string, name: string, uuid: UUID, options: Doc, at: number): Collection {
    const collection = new Collection(db, name, uuid, options);
    collection.createdAt = at;
    collection.validator = compileValidator(options['validator']);
    collection.buildIndex(toIndex({ v: 2, key: { _id: 1 }, name: '_id_', unique: true, ...(options['collation'] ? { collation: options['collation'] } : {}) }));
    let collections = this.databases.get(db);
    if (!collections) { collections = new Map(); this.databases.set(db, collections); }
    collections.set(name, collection);
    return collection;
  }

  drop(db: string, name: string): void {
    const collections = this.databases.get(db);
    collections?.delete(name);
    if (collections?.size === 0) this.databases.delete(db);
  }

  private rename({ db, collection, toDb, to }: Operation & { kind: 'rename' }): void {
    const moved = this.must(db, collection);
    this.drop(toDb, to);
    this.drop(db, collection);
    moved.db = toDb;
    moved.name = to;
    const target = this.databases.get(toDb) ?? new Map<string, Collection>();
    this.databases.set(toDb, target);
    target.set(to, moved);
  }

  private modify({ db, collection, options, changes }: Operation & { kind: 'collMod' }): void {
    const target = this.must(db, collection);
    target.options = options;
    target.validator = compileValidator(options['validator']);
    const index = changes['index'] as Doc | undefined;
    const found = index ? [...target.indexes.values()].find(({ spec }) => spec.name === index['name']) : undefined;
    if (!found || !index) return;
    const { name: _, ...set } = index;
    const rebuilt = toIndex({ ...found.spec.options, ...set });
    found.spec = rebuilt.spec;
  }

  private must(db: string, name: string): Collection {
    const collection = this.get(db, name);
    if (!collection) throw fail('NamespaceNotFound', `ns does not exist: ${db}.${name}`);
    return collection;
  }

  rewind(at: number): void {
    for (const collections of this.databases.values()) for (const collection of collections.values()) collection.rewind(at);
  }

  // A copy for a member that starts anew: documents are shared, everything around them is its own.
  clone(at: number): Store {
    const copy = new Store();
    for (const [db, collections] of this.databases) {
      for (const [name, collection] of collections) {
        const target = copy.create(db, name, collection.uuid, collection.options, collection.createdAt);
        for (const { spec } of collection.indexes.values()) if (spec.name !== '_id_') target.buildIndex(toIndex(spec.options));
        for (const record of collection.records.values()) {
          const doc = latestDoc(record);
          if (doc) target.put(null, doc, { at: Math.min(at, record.head?.at ?? at), holder: null, snapshotAt: Infinity }, () => undefined);
        }
      }
    }
    return copy;
  }
}
