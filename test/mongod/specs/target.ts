import { buildClient } from './clients.ts';
import type { ClusterTime, MongoClient } from 'mongodb';
import { clusterTimeOf } from './driver-internals.ts';
import { startTestServer, type TestServer } from './start-server.ts';

/**
 * Where the tests run: this project's server, several of them side by side, or the one deployment that
 * `MONGODB_URI` names. A fail point holds for a whole server, so a lane keeps its server to itself.
 */
export type Target = {
  readonly uri: string;
  /** The runner's own client: initial data, fail points off, outcomes. Never observed. */
  readonly internal: MongoClient;
  readonly facts: ServerFacts;
  /** The newest cluster time that the runner's own client has heard of. */
  clusterTime(): ClusterTime | undefined;
  /** Mistakes that the server itself owned up to. */
  errors(): readonly unknown[];
  close(): Promise<void>;
};

export type ServerFacts = {
  readonly version: string;
  readonly topology: 'single' | 'replicaset' | 'sharded';
  readonly auth: boolean;
  readonly parameters: Readonly<Record<string, unknown>>;
};

export async function openTarget({ uri, auth }: { readonly uri?: string | undefined; readonly auth: boolean }): Promise<Target> {
  const server = uri === undefined ? await startTestServer({ members: membersOfASet, auth }) : foreignServer(uri);
  const internal = buildClient(server.uri);
  try {
    await internal.connect();
    return { uri: server.uri, internal, facts: await readFacts(internal), clusterTime: () => clusterTimeOf(internal), errors: () => server.errors(), close };
  } catch (error) {
    await close();
    throw error;
  }

  async function close() {
    await internal.close();
    await server.close();
  }
}

/** The suites take a secondary to read from for granted. */
const membersOfASet = 3;

const foreignServer = (uri: string): TestServer => ({ uri, errors: () => [], close: async () => {} });

async function readFacts(client: MongoClient): Promise<ServerFacts> {
  const admin = client.db('admin');
  const hello = await admin.command({ hello: 1 });
  const build = await admin.command({ buildInfo: 1 });
  return {
    version: String(build['version']),
    topology: hello['setName'] ? 'replicaset' : hello['msg'] === 'isdbgrid' ? 'sharded' : 'single',
    auth: client.options.credentials !== undefined,
    parameters: await admin.command({ getParameter: '*' }).catch(() => ({})),
  };
}
