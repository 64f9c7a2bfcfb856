/** What the server has to be, looked at once before anything is written: all that is missing, in one message. */
import type { Db, Document } from 'mongodb';
import { StoreNotReady } from '../not-ready.ts';

/** Pre- and post-images came with 6.0, `$changeStreamSplitLargeEvent` with 7.0. */
const majorMin = 7;
/** Nonces expire by the server's clock, signatures by ours. */
const skewMsMax = 30_000;
const actionsNeeded = ['find', 'insert', 'update', 'remove', 'createCollection', 'createIndex', 'collMod', 'listCollections', 'listIndexes', 'changeStream'] as const;

export async function mustServe(database: Db, clock: () => number): Promise<void> {
  const askedAt = clock();
  const hello = await database.command({ hello: 1 });
  const skewMs = hello['localTime'] instanceof Date ? hello['localTime'].getTime() - (askedAt + clock()) / 2 : 0;
  const { version } = await database.command({ buildInfo: 1 });
  const { authInfo } = await database.command({ connectionStatus: 1, showPrivileges: true }).catch(unknownRights);
  const problems = [
    ...(typeof hello['setName'] === 'string' ? [] : ['the server is no member of a replica set, so it has no transactions and no change feed; start mongod with --replSet rs0, then run rs.initiate() in mongosh (one member is enough)']),
    ...(Number.parseInt(String(version), 10) >= majorMin ? [] : [`the server is MongoDB ${version}; the change feed needs ${majorMin}.0 or newer (events over 16 MB, images); install it member by member, then run db.adminCommand({ setFeatureCompatibilityVersion: "${majorMin}.0", confirm: true })`]),
    ...(Math.abs(skewMs) <= skewMsMax ? [] : [`the server's clock is ${Math.round(skewMs / 1_000)} s from ours, so one-use nonces would expire at the wrong time; let NTP set both: timedatectl set-ntp true`]),
    ...toMissingRights(database.databaseName, authInfo),
  ];
  if (problems.length > 0) throw new StoreNotReady(database.databaseName, problems);
}

function unknownRights(): Document {
  return { authInfo: {} };
}

/** Without users there are no rights to lack. */
function toMissingRights(name: string, authInfo: Document | undefined): readonly string[] {
  const users: unknown = authInfo?.['authenticatedUsers'];
  const privileges: unknown = authInfo?.['authenticatedUserPrivileges'];
  if (!Array.isArray(users) || !Array.isArray(privileges)) return [];
  const granted = new Set(privileges.flatMap((privilege: Document) => (covers(privilege['resource'], name) ? privilege['actions'] : [])));
  const missing = actionsNeeded.filter((action) => !granted.has(action) && !granted.has('anyAction'));
  if (missing.length === 0) return [];
  return users.slice(0, 1).map(({ user, db }: Document) => `the user ${user} may not ${missing.join(', ')} on ${name}, and Tombolo could not store, index or hear of changes there; run db.getSiblingDB("${db}").grantRolesToUser("${user}", [{ role: "readWrite", db: "${name}" }, { role: "dbAdmin", db: "${name}" }])`);
}

function covers(resource: Document | undefined, name: string): boolean {
  return resource?.['anyResource'] === true || ((resource?.['db'] === name || resource?.['db'] === '') && resource['collection'] === '');
}
