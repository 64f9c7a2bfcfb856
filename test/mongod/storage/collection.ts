// A collection of one member: records, indexes, options. Writers come through `put`, which checks conflicts and
// uniqueness before anything changes, so a refused write leaves no trace.
import type { UUID } from 'bson';
import { fail, WriteConflictFault } from '../errors.ts';
import { keyOf } from '../values/key-string.ts';
import type { Doc } from '../values/types.ts';
import type { Index } from './indexes.ts';
import { type Holder, type StoredRecord, type Version, type View, visible } from './records.ts';

type Author = { at: number; holder: Holder | null; snapshotAt: number };

export type CollectionOptions = Doc;

export class Collection {
  readonly uuid: UUID;
  db: string;
  name: string;
  options: CollectionOptions;
  validator: ((doc: Doc) => Doc | null) | null = null; // the detail of why a document fails, or null
  readonly records = new Map<number, StoredRecord>();
  readonly byId = new Map<string, StoredRecord>();
  readonly indexes = new Map<string, Index>();
  count = 0; // committed, living documents
  createdAt = 0;
  maker: Holder | null = null; // the open transaction that made it: others do not see it listed
  private lastId = 0;

  constructor(db: string, name: string, uuid: UUID, options: CollectionOptions) {
    this.db = db;
    this.name = name;
    this.uuid = uuid;
    this.options = options;
  }

  get namespace(): string {
    return `${this.db}.${this.name}`;
  }

  find(idKey: string, view: View): StoredRecord | null {
    for (let record = this.byId.get(idKey) ?? null; record; record = record.prior) if (visible(record, view)) return record;
    return null;
  }

  // Writes the document's next state; `doc` null deletes. Returns the record written.
  put(record: StoredRecord | null, doc: Doc | null, author: Author, onObsolete: (record: StoredRecord) => void): StoredRecord {
    if (record) checkConflict(record, author);
    const target = record ?? this.recordFor(doc as Doc, author);
    const before = visible(target, { at: Infinity, holder: author.holder });
    for (const [index, keys] of this.checkedKeys(target, doc, before, author)) for (const key of keys) index.entries.add(key, target.id);
    if (author.holder) {
      const replaced = target.pending?.doc;
      target.pending = { holder: author.holder, doc };
      if (replaced) this.dropKeys(target, [replaced]); // no version holds it any more
    } else {
      this.count += (doc ? 1 : 0) - (before ? 1 : 0);
      target.head = { at: author.at, doc, older: target.head };
      if (target.head.older) onObsolete(target);
    }
    return target;
  }

  commit(record: StoredRecord, at: number, onObsolete: (record: StoredRecord) => void): void {
    const { doc } = record.pending as { doc: Doc | null };
    const before = record.head?.doc ?? null;
    this.count += (doc ? 1 : 0) - (before ? 1 : 0);
    record.pending = null;
    record.head = { at, doc, older: record.head };
    if (record.head.older || !doc) onObsolete(record);
  }

  abort(record: StoredRecord): void {
    const doc = record.pending?.doc ?? null;
    record.pending = null;
    if (doc) this.dropKeys(record, [doc]);
    if (!record.head) this.forget(record);
  }

  // Drops the versions that no reader at or after `horizon` can see. True when nothing is left to prune.
  prune(record: StoredRecord, horizon: number): boolean {
    let keep = record.head;
    while (keep && keep.at > horizon) keep = keep.older;
    if (!keep) return record.head === null || record.head.older === null;
    const dropped: Doc[] = [];
    for (let old = keep.older; old; old = old.older) if (old.doc) dropped.push(old.doc);
    keep.older = null;
    if (dropped.length) this.dropKeys(record, dropped);
    if (record.head === keep && keep.doc === null && !record.pending) this.forget(record);
    return record.head === keep;
  }

  // Takes back everything newer than `at`: what a crash or a rollback loses.
  rewind(at: number): void {
    for (const record of this.records.values()) {
      const lost: Doc[] = [];
      const was = record.head?.doc ? 1 : 0;
      while (record.head && record.head.at > at) {
        if (record.head.doc) lost.push(record.head.doc);
        record.head = record.head.older;
      }
      this.count += (record.head?.doc ? 1 : 0) - was;
      if (lost.length) this.dropKeys(record, lost);
      if (!record.head) this.forget(record);
    }
  }

  buildIndex(index: Index): void {
    for (const record of this.records.values()) {
      for (const doc of livingDocs(record)) for (const key of index.keysOf(doc)) index.entries.add(key, record.id);
    }
    this.indexes.set(index.spec.name, index);
  }

  private recordFor(doc: Doc, author: Author): StoredRecord {
    const key = keyOf(doc['_id']);
    const found = this.byId.get(key);
    if (found) {
      checkConflict(found, author);
      const living = visible(found, { at: Infinity, holder: author.holder });
      if (living) throw this.duplicate(this.indexes.get('_id_') as Index, living);
      if (author.holder || !found.head) return found;
    }
    const record: StoredRecord = { id: ++this.lastId, key, head: null, pending: null, prior: found ?? null };
    this.records.set(record.id, record);
    this.byId.set(key, record);
    return record;
  }

  // All keys of all indexes first: a write that any of them refuses changes none.
  private checkedKeys(target: StoredRecord, doc: Doc | null, before: Doc | null, author: Author): [Index, string[]][] {
    const out: [Index, string[]][] = [];
    if (!doc) return out;
    try {
      for (const index of this.indexes.values()) {
        if (before && index.isUntouched(before, doc)) continue;
        const keys = index.keysOf(doc);
        out.push([index, keys]);
        if (!index.spec.unique || index.spec.name === '_id_') continue;
        for (const key of keys) for (const id of index.entries.idsOf(key)) if (id !== target.id) this.checkRival(index, key, id, author, doc);
      }
    } catch (error) {
      if (!target.head && !target.pending) this.forget(target);
      throw error;
    }
    return out;
  }

  private checkRival(index: Index, key: string, id: number, author: Author, doc: Doc): void {
    const rival = this.records.get(id);
    if (!rival) return;
    const living = visible(rival, { at: Infinity, holder: author.holder });
    const holds = living !== null && index.keysOf(living).includes(key);
    if (rival.pending && rival.pending.holder !== author.holder) {
      if (holds || (rival.pending.doc && index.keysOf(rival.pending.doc).includes(key))) {
        throw new WriteConflictFault(author.holder ? null : rival.pending.holder.settled);
      }
    }
    if (!holds) return;
    if (author.holder && rival.head && rival.head.at > author.snapshotAt && !rival.pending) throw new WriteConflictFault(null);
    throw this.duplicate(index, doc);
  }

  private duplicate(index: Index, doc: Doc): Error {
    const { pattern, name, collation } = index.spec;
    const values = index.valuesFor(doc);
    const shown = Object.entries(values).map(([field, value]) => `${field}: ${shell(value)}`).join(', ');
    const facts = { keyPattern: pattern, keyValue: values, ...(collation ? { collation: collation.spec } : {}) };
    return fail('DuplicateKey', `E11000 duplicate key error collection: ${this.namespace} index: ${name} dup key: { ${shown} }`, facts);
  }

  private dropKeys(record: StoredRecord, dropped: Doc[]): void {
    const living = livingDocs(record);
    for (const index of this.indexes.values()) {
      if (living.length && dropped.every(old => living.some(doc => index.isUntouched(old, doc)))) continue;
      const kept = new Set(living.flatMap(doc => index.keysOf(doc)));
      for (const doc of dropped) for (const key of index.keysOf(doc)) if (!kept.has(key)) index.entries.remove(key, record.id);
    }
  }

  private forget(record: StoredRecord): void {
    this.records.delete(record.id);
    if (this.byId.get(record.key) === record) {
      if (record.prior && this.records.has(record.prior.id)) this.byId.set(record.key, record.prior);
      else this.byId.delete(record.key);
    } else {
      for (let at = this.byId.get(record.key); at; at = at.prior ?? undefined) if (at.prior === record) at.prior = record.prior;
    }
  }
}

function livingDocs(record: StoredRecord): Doc[] {
  const docs: Doc[] = record.pending?.doc ? [record.pending.doc] : [];
  for (let version: Version | null = record.head; version; version = version.older) if (version.doc) docs.push(version.doc);
  return docs;
}

function checkConflict(record: StoredRecord, author: Author): void {
  if (record.pending && record.pending.holder !== author.holder) throw new WriteConflictFault(author.holder ? null : record.pending.holder.settled);
  if (author.holder && record.head && record.head.at > author.snapshotAt && !record.pending) throw new WriteConflictFault(null);
}

function shell(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null && 'toHexString' in value) return `ObjectId('${String(value)}')`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value) ?? 'null';
}


