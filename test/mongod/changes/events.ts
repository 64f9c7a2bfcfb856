// Log entries as change events.
import { createHash } from 'node:crypto';
import { Binary, type UUID } from 'bson';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Operation, OplogEntry } from '../replica/oplog.ts';
import type { Change, Description } from '../update/diff.ts';
import type { Doc } from '../values/types.ts';
import { type Token, toToken } from './token.ts';

export type Scope = { db: string | null; collection: string | null };

export type ChangeEvent = { token: Token; doc: Doc; operation: Operation; ends: boolean };

const NO_USER = new Binary(createHash('sha256').update('').digest());

// The events of one entry that a stream of this scope sees, in order.
export function eventsOf(entry: OplogEntry, scope: Scope, expanded: boolean): ChangeEvent[] {
  const out: ChangeEvent[] = [];
  entry.operations.forEach((operation, index) => {
    if (operation.kind === 'noop' || !inScope(operation, scope)) return;
    const fields = describe(operation, expanded);
    if (!fields) return;
    const uuid = 'uuid' in operation ? operation.uuid.toHexString(false) : '';
    const token: Token = { at: entry.at, operation: index, step: 0, fragment: 0, kind: 'event', uuid };
    out.push({ token, doc: eventDoc(entry, token, fields), operation, ends: false });
    if (endsStream(operation, scope)) {
      const last: Token = { ...token, step: 1, kind: 'invalidate' };
      out.push({ token: last, doc: { _id: toToken(last), operationType: 'invalidate', clusterTime: toTimestamp(entry.at), wallTime: new Date(entry.wall) }, operation, ends: true });
    }
  });
  return out;
}

function inScope(operation: Operation, { db, collection }: Scope): boolean {
  if (operation.kind === 'noop') return false;
  if (['admin', 'config', 'local'].includes(operation.db)) return false;
  if ('collection' in operation && operation.collection.startsWith('system.')) return false;
  const renamedHere = operation.kind === 'rename' && operation.toDb === db && (collection === null || operation.to === collection);
  if (db !== null && operation.db !== db && !renamedHere) return false;
  if (collection === null) return true;
  return !('collection' in operation) || operation.collection === collection || renamedHere;
}

function endsStream(operation: Operation, { db, collection }: Scope): boolean {
  if (collection !== null) return operation.kind === 'drop' || operation.kind === 'rename' || operation.kind === 'dropDatabase';
  return db !== null && operation.kind === 'dropDatabase';
}

function eventDoc(entry: OplogEntry, token: Token, { operationType, ...fields }: Doc): Doc {
  const { session } = entry;
  return {
    _id: toToken(token), operationType, clusterTime: toTimestamp(entry.at), wallTime: new Date(entry.wall),
    ...(session?.committed ? { txnNumber: session.txnNumber, lsid: { ...session.lsid, uid: NO_USER } } : {}), ...fields,
  };
}

const withUuid = (expanded: boolean, uuid: UUID): Doc => (expanded ? { collectionUUID: uuid } : {});

function describe(operation: Operation, expanded: boolean): Doc | null {
  if (operation.kind === 'noop') return null;
  if (operation.kind === 'dropDatabase') return { operationType: 'dropDatabase', ns: { db: operation.db } };
  const ns = { db: operation.db, coll: operation.collection };
  const place = { ...withUuid(expanded, operation.uuid), ns };
  switch (operation.kind) {
    case 'insert': return { operationType: 'insert', ...withUuid(expanded, operation.uuid), fullDocument: operation.doc, ns, documentKey: { _id: operation.doc['_id'] } };
    case 'update': {
      if (!operation.description) return { operationType: 'replace', ...withUuid(expanded, operation.uuid), fullDocument: operation.doc, ns, documentKey: { _id: operation.id } };
      return { operationType: 'update', ...place, documentKey: { _id: operation.id }, updateDescription: updateDescription(operation.description, expanded) };
    }
    case 'delete': return { operationType: 'delete', ...place, documentKey: { _id: operation.id } };
    case 'drop': return { operationType: 'drop', ...place };
    case 'rename': {
      const to = { db: operation.toDb, coll: operation.to };
      return { operationType: 'rename', ...place, to, ...(expanded ? { operationDescription: { to, ...(operation.dropped ? { dropTarget: operation.dropped } : {}) } } : {}) };
    }
    default: return expanded ? describeExpanded(operation, place) : null;
  }
}

function describeExpanded(operation: Operation, place: Doc): Doc | null {
  switch (operation.kind) {
    case 'create': return { operationType: 'create', ...place, operationDescription: { ...operation.options, ...(operation.options['viewOn'] ? {} : { idIndex: { v: 2, key: { _id: 1 }, name: '_id_' } }) } };
    case 'createIndexes': return { operationType: 'createIndexes', ...place, operationDescription: { indexes: operation.specs } };
    case 'dropIndexes': return { operationType: 'dropIndexes', ...place, operationDescription: { indexes: operation.specs } };
    case 'collMod': return { operationType: 'modify', ...place, operationDescription: operation.changes, stateBeforeChange: operation.before };
    default: return null;
  }
}

function updateDescription({ updated, removed, truncated }: Description, expanded: boolean): Doc {
  return {
    updatedFields: Object.fromEntries(updated.map(({ path, value }) => [path.join('.'), value])),
    removedFields: removed.map(({ path }) => path.join('.')),
    truncatedArrays: truncated.map(({ path, newSize }) => ({ field: path.join('.'), newSize })),
    ...(expanded ? { disambiguatedPaths: disambiguated([...updated, ...removed, ...truncated]) } : {}),
  };
}

// Paths that read two ways: a field's name with a dot, or a number that is a name and not a position.
function disambiguated(changes: Pick<Change, 'components'>[]): Doc {
  const ambiguous = changes.filter(({ components }) => components.length > 1 ? components.some(part => (typeof part === 'string' && (part.includes('.') || /^\d+$/.test(part))) || (typeof part === 'number')) : typeof components[0] === 'string' && components[0].includes('.'));
  return Object.fromEntries(ambiguous.filter(({ components }) => components.some(part => typeof part === 'string' && (part.includes('.') || /^\d+$/.test(part)))).map(({ components }) => [components.join('.'), components]));
}
