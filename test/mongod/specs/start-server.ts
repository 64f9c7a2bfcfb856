import { startMongod } from '../server.ts';

/** The project's own MongoDB, in this process, on free ports. */
export type TestServer = {
  readonly uri: string;
  /** Its own mistakes so far: what neither a command nor a fault accounts for. */
  errors(): readonly unknown[];
  close(): Promise<void>;
};

export type TestServerOptions = { readonly members: number; readonly auth?: boolean };

export async function startTestServer({ members, auth = false }: TestServerOptions): Promise<TestServer> {
  const server = await startMongod({ members, ...(auth ? { auth: { user: 'tester', password: 'only for tests' } } : {}) });
  return { uri: server.uri, errors: () => server.errors, close: () => server.close() };
}
