// Collections and stages that a server makes up: the oplog, open sessions, statistics.
import { fail } from '../errors.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Operation, OplogEntry } from '../replica/oplog.ts';
import { documentBytes } from '../values/size.ts';
import { type Doc, isDoc, isTruthy } from '../values/types.ts';
import { compileExpression } from '../query/expression.ts';
import type { Context } from './command.ts';
import { collectionOf } from './query.ts';

export const isVirtual = (db: string, name: string): boolean => db === 'local' && name === 'oplog.rs';

export function* virtualDocs({ member }: Context, name: string): Generator<Doc> {
  if (name !== 'oplog.rs') return;
  for (const entry of member.oplog.from(0)) yield oplogDoc(entry);
}

function oplogDoc({ at, term, wall, operations }: OplogEntry): Doc {
  const head = { ts: toTimestamp(at), t: BigInt(term), v: 2n, wall: new Date(wall) };
  const [only] = operations;
  if (operations.length === 1 && only) return { ...head, ...operationDoc(only) };
  return { ...head, op: 'c', ns: 'admin.$cmd', o: { applyOps: operations.map(operationDoc) } };
}

function operationDoc(operation: Operation): Doc {
  const ns = 'collection' in operation ? `${operation.db}.${operation.collection}` : '';
  switch (operation.kind) {
    case 'insert': return { op: 'i', ns, o: operation.doc, o2: { _id: operation.doc['_id'] } };
    case 'update': return { op: 'u', ns, o: operation.description ? { $v: 2, diff: {} } : operation.doc, o2: { _id: operation.id } };
    case 'delete': return { op: 'd', ns, o: { _id: operation.id } };
    case 'noop': return { op: 'n', ns: '', o: { msg: operation.message } };
    default: return { op: 'c', ns: `${operation.db}.$cmd`, o: { [operation.kind]: 'collection' in operation ? operation.collection : 1 } };
  }
}

// Documents of a first stage that has no collection under it, or null.
export function generated(context: Context, name: string | null, stage: Doc | undefined): Iterable<Doc> | null {
  const [kind] = Object.keys(stage ?? {});
  const { member } = context;
  switch (kind) {
    case '$documents': {
      const docs = compileExpression(stage?.['$documents'])({ root: {}, vars: {} });
      if (!Array.isArray(docs) || !docs.every(isDoc)) throw fail(5858203, 'an array of documents is expected');
      return docs;
    }
    case '$listLocalSessions': case '$listSessions': return Array.from(member.sessions.states.values(), state => ({ _id: state.lsid, lastUse: new Date(state.usedAt) }));
    case '$currentOp': return idleSessions(context, stage?.['$currentOp']);
    case '$indexStats': return name === null ? null : Array.from(collectionOf(context, name)?.indexes.values() ?? [], index => ({ name: index.spec.name, key: index.spec.pattern, host: member.host, accesses: { ops: BigInt(index.accesses), since: new Date(0) }, spec: index.spec.options }));
    case '$collStats': return name === null ? null : collStats(context, name, stage?.['$collStats'] as Doc);
    default: return null;
  }
}

// Of all that a mongod tells here, the transactions that are open and between two statements.
function* idleSessions({ server, member, connection, db }: Context, options: unknown): Generator<Doc> {
  if (db !== 'admin') throw fail('InvalidNamespace', '$currentOp must be run against the \'admin\' database with {aggregate: 1}');
  const asked = isDoc(options) ? options : {};
  if (asked['idleSessions'] === false) return;
  const now = server.clock.now();
  for (const { lsid, transaction, client, underWay, usedAt, txnNumber } of member.sessions.states.values()) {
    if (transaction === null || client === null || underWay > 0) continue;
    if (server.auth && !isTruthy(asked['allUsers']) && client.user !== connection.user) continue;
    const micros = (ms: number) => BigInt(Math.round(ms * 1000));
    const { peer, connectionId, appName, clientMetadata } = client;
    yield {
      type: 'idleSession', host: member.host, desc: 'inactive transaction', client: peer, connectionId, appName: appName ?? '', clientMetadata, lsid,
      transaction: {
        parameters: { txnNumber, autocommit: false }, startWallClockTime: new Date(transaction.startedAt).toISOString(),
        timeOpenMicros: micros(now - transaction.startedAt), timeActiveMicros: micros(usedAt - transaction.startedAt), timeInactiveMicros: micros(now - usedAt),
      },
      waitingForLock: false, active: false,
    };
  }
}

function collStats(context: Context, name: string, spec: Doc): Doc[] {
  const collection = collectionOf(context, name);
  if (!collection) throw fail('NamespaceNotFound', `Unable to retrieve collStats in $collStats stage :: caused by :: Collection [${context.db}.${name}] not found.`);
  return [{ ns: collection.namespace, host: context.member.host, localTime: new Date(context.server.clock.now()), ...('count' in spec ? { count: collection.count } : {}), ...('storageStats' in spec ? { storageStats: storageStats(collection) } : {}) }];
}

export function storageStats(collection: { count: number; records: Map<number, { head: { doc: Doc | null } | null }>; indexes: Map<string, unknown> }): Doc {
  let size = 0;
  for (const { head } of collection.records.values()) if (head?.doc) size += documentBytes(head.doc);
  return { size, count: collection.count, avgObjSize: collection.count ? Math.floor(size / collection.count) : 0, storageSize: size, nindexes: collection.indexes.size, totalIndexSize: 0, totalSize: size, capped: false };
}
