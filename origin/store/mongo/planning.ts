/** What `npm run plan` and `npm run apply` do with a MongoDB: a connection of their own, and what is found there. */
import type { Resource } from '../../../shared/contract/resource.ts';
import { toClient, toDatabaseName } from './connection/client.ts';
import { toStartError } from './connection/start-errors.ts';
import { mustServe } from './connection/server-checks.ts';
import type { Target } from './install/install.ts';

interface Planning {
  readonly uri: string;
  readonly resources: readonly Resource[];
  /** Whether it will be written to: the user then needs the rights. */
  readonly isWritten: boolean;
}

export async function withTarget<T>({ uri, resources, isWritten }: Planning, use: (target: Target) => Promise<T>): Promise<T> {
  const client = toClient(uri, { isPatient: true });
  try {
    await client.connect();
    const database = client.db(toDatabaseName(uri));
    const deployment = await mustServe(database, resources, { clock: Date.now, doing: () => (isWritten ? 'makes' : 'reads') });
    return await use({ database, resources, deployment, patiently: (run) => run(database) });
  } catch (error) {
    throw toStartError(error, uri);
  } finally {
    await client.close();
  }
}
