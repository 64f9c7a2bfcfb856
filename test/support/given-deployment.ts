/**
 * The deployment that `MONGODB_URI` names, for tests: each test has a database of its own there, and the names of
 * one run begin alike, so that whatever a killed test leaves is found and dropped when the run ends.
 */
import { MongoClient } from 'mongodb';

const prefix = 'tombolo_test_';

/** Absent: tests of MongoDB start the project's own test server. */
export function givenUri(): string | undefined {
  return process.env['MONGODB_URI'] || undefined;
}

export function newRunName(): string {
  return prefix + crypto.randomUUID().slice(0, 8);
}

/** `test/run.ts` names its run; a lone `bun test` is one by itself. */
const runName = process.env['TOMBOLO_TEST_RUN'] ?? newRunName();

export function newDatabaseName(): string {
  return `${runName}_${crypto.randomUUID().slice(0, 8)}`;
}

/**
 * The same deployment and user with another database. A path is also where a user is looked up unless `authSource`
 * says where, so that is said; for `mongodb+srv` the record in DNS says it.
 */
export function withDatabase(uri: string, name: string): string {
  const [, scheme = '', hosts = '', query = ''] = /^([^:]+:\/\/)([^/?]+)(?:\/[^?]*)?(?:\?(.*))?$/.exec(uri) ?? [];
  const { credentials } = new MongoClient(uri).options;
  const isSaid = credentials === undefined || scheme.startsWith('mongodb+srv') || /(^|&)authSource=/i.test(query);
  const options = [query, isSaid ? '' : `authSource=${encodeURIComponent(credentials.source)}`].filter(Boolean).join('&');
  return `${scheme}${hosts}/${name}${options === '' ? '' : `?${options}`}`;
}

/** What answers there, in words; throws when nothing does. */
export async function describeDeployment(uri: string): Promise<string> {
  return withClient(uri, async (client) => {
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    const { setName, hosts } = await client.db('admin').command({ hello: 1 });
    const set = typeof setName === 'string' ? `replica set ${setName}` : 'no replica set';
    return `MongoDB ${String(version)}, ${set}, ${Array.isArray(hosts) ? hosts.join(' ') : 'one server'}`;
  });
}

/** Drops what a run has left behind, and names it. */
export async function dropDatabasesOf(uri: string, run: string): Promise<readonly string[]> {
  return withClient(uri, async (client) => {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    const left = databases.map(({ name }) => name).filter((name) => name.startsWith(`${run}_`));
    for (const name of left) await client.db(name).dropDatabase();
    return left;
  });
}

async function withClient<T>(uri: string, use: (client: MongoClient) => Promise<T>): Promise<T> {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: 10_000 });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}
