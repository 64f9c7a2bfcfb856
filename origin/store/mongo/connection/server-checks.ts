/** What the server has to be, looked at once before anything is written: all that is missing, in one message. */
import type { Db, Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { StoreNotReady } from '../../not-ready.ts';
import { productOfServer, toProductProblem } from './other-products.ts';

/** Pre- and post-images came with 6.0, `$changeStreamSplitLargeEvent` with 7.0. */
const majorMin = 7;
/** Nonces expire by the server's clock, signatures by ours. */
const skewMsMax = 30_000;
/** What a start does here: reads others' collections, serves what is all there, or puts something in place. */
export type Doing = 'reads' | 'serves' | 'makes';

const looks = ['find', 'listCollections', 'listIndexes'] as const;
const writes = ['insert', 'update', 'remove'] as const;
const makes = ['createCollection', 'createIndex', 'collMod'] as const;
const actionsNeeded: Readonly<Record<Deployment, Readonly<Record<Doing, readonly string[]>>>> = {
  'replica set': {
    reads: [...looks, 'changeStream'],
    serves: [...looks, ...writes, 'changeStream'],
    makes: [...looks, ...writes, ...makes, 'changeStream'],
  },
  standalone: { reads: looks, serves: looks, makes: [...looks, ...makes] },
};

/** A standalone serves what needs neither transactions nor a feed. */
export type Deployment = 'replica set' | 'standalone';

interface Surroundings {
  readonly clock: () => number;
  readonly followed?: ReadonlySet<string> | undefined;
  doing(deployment: Deployment): Doing | Promise<Doing>;
}

export async function mustServe(database: Db, resources: readonly Resource[], given: Surroundings): Promise<Deployment> {
  const { clock, doing, followed } = given;
  const askedAt = clock();
  const hello = await database.command({ hello: 1 });
  const skewMs = hello['localTime'] instanceof Date ? hello['localTime'].getTime() - (askedAt + clock()) / 2 : 0;
  const buildInfo = await database.command({ buildInfo: 1 });
  const product = productOfServer(hello, buildInfo);
  if (product !== undefined) throw new StoreNotReady(database.databaseName, [toProductProblem(product)]);
  const { version } = buildInfo;
  const { authInfo } = await database.command({ connectionStatus: 1, showPrivileges: true }).catch(unknownRights);
  const needs = resources.flatMap((resource) => toNeeds(resource, followed?.has(resource.name) === true));
  const deployment: Deployment = isStandalone(hello) && needs.length === 0 ? 'standalone' : 'replica set';
  const problems = [
    ...(deployment === 'standalone' || typeof hello['setName'] === 'string' ? [] : [noMember(hello, needs)]),
    ...toDirect(database, hello),
    ...(Number.parseInt(String(version), 10) >= majorMin ? [] : [tooOld(version)]),
    ...(deployment === 'standalone' || Math.abs(skewMs) <= skewMsMax ? [] : [clockApart(skewMs)]),
    ...toMissingRights(database.databaseName, actionsNeeded[deployment][await doing(deployment)], authInfo),
  ];
  if (problems.length > 0) throw new StoreNotReady(database.databaseName, problems);
  return deployment;
}

function noMember(hello: Document, needs: readonly string[]): string {
  if (hello['msg'] === 'isdbgrid') {
    const lack = 'MONGODB_URI names a mongos, the router of a sharded cluster, and Tombolo is not made for one';
    return `${lack}; name the members of a replica set`;
  }
  if (hello['isreplicaset'] === true) return 'the replica set has not begun; run rs.initiate() in mongosh (one member is enough)';
  const needed = needs.length === 0 ? '' : ` (${needs.join('; ')})`;
  const lack = `the server is no member of a replica set, so it has no transactions and no change feed${needed}`;
  return `${lack}; start mongod with --replSet rs0, then run rs.initiate() in mongosh (one member is enough)`;
}

/** One member alone is fine where it is the only one, as in a container whose name nobody else resolves. */
function toDirect(database: Db, hello: Document): readonly string[] {
  const members: unknown = hello['hosts'];
  if (!database.client.options.directConnection || !Array.isArray(members) || members.length <= 1) return [];
  return [
    `MONGODB_URI: directConnection=true is refused: the replica set has ${members.length} members, and Tombolo would not follow an ` +
      `election; leave it out, or replace it with replicaSet=${String(hello['setName'])}`,
  ];
}

function tooOld(version: unknown): string {
  const upgrade = `db.adminCommand({ setFeatureCompatibilityVersion: "${majorMin}.0", confirm: true })`;
  const need = `the change feed needs ${majorMin}.0 or newer (events over 16 MB, images)`;
  return `the server is MongoDB ${version}; ${need}; install it member by member, then run ${upgrade}`;
}

function clockApart(skewMs: number): string {
  const lack = `the server's clock is ${Math.round(skewMs / 1_000)} s from ours, so one-use nonces would expire at the wrong time`;
  return `${lack}; let NTP set both: timedatectl set-ntp true`;
}

/** Whether it is neither a member, nor one that waits for its set to begin, nor a router of a cluster. */
function isStandalone(hello: Document): boolean {
  return hello['setName'] === undefined && hello['isreplicaset'] !== true && hello['msg'] !== 'isdbgrid';
}

/** What in a resource needs transactions or the feed. */
function toNeeds({ name, internal, rules, cache, live }: Resource, isFollowed: boolean): readonly string[] {
  const isWritten = internal || [rules.create, rules.update, rules.remove].some(({ kind }) => kind !== 'nobody');
  const needs = { written: isWritten, cached: cache === 'shared', live, 'followed by a hook': isFollowed };
  const has = Object.entries(needs).flatMap(([what, is]) => (is ? [what] : []));
  return has.length === 0 ? [] : [`${name}: is ${has.join(', ')}`];
}

function unknownRights(): Document {
  return { authInfo: {} };
}

/** The rights that the user lacks; none where the server has no users. */
function toMissingRights(name: string, needed: readonly string[], authInfo: Document | undefined): readonly string[] {
  const users: unknown = authInfo?.['authenticatedUsers'];
  const privileges: unknown = authInfo?.['authenticatedUserPrivileges'];
  if (!Array.isArray(users) || !Array.isArray(privileges)) return [];
  const granted = new Set(privileges.flatMap((privilege: Document) => (covers(privilege['resource'], name) ? privilege['actions'] : [])));
  const missing = needed.filter((action) => !granted.has(action) && !granted.has('anyAction'));
  if (missing.length === 0) return [];
  return users.slice(0, 1).map(({ user, db }: Document) => {
    const roles = `[{ role: "readWrite", db: "${name}" }, { role: "dbAdmin", db: "${name}" }]`;
    const lack = `the user ${user} may not ${missing.join(', ')} on ${name}, and Tombolo could not store, index or hear of changes there`;
    return `${lack}; run db.getSiblingDB("${db}").grantRolesToUser("${user}", ${roles})`;
  });
}

function covers(resource: Document | undefined, name: string): boolean {
  return resource?.['anyResource'] === true || ((resource?.['db'] === name || resource?.['db'] === '') && resource['collection'] === '');
}
