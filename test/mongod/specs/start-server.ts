import { startMongod } from '../server.ts';

/** The project's own MongoDB: a replica set of three, which the suites take for granted (reads from a secondary), in this process, on a free port. */
export type TestServer = {
  readonly uri: string;
  /** Its own mistakes so far: what neither a command nor a fault accounts for. */
  errors(): readonly unknown[];
  close(): Promise<void>;
};

export async function startTestServer({ auth = false }: { readonly auth?: boolean } = {}): Promise<TestServer> {
  const server = await startMongod({ members: 3, ...(auth ? { auth: { user: 'tester', password: 'only for tests' } } : {}) });
  return { uri: server.uri, errors: () => server.errors, close: () => server.close() };
}
