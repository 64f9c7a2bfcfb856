/** A backup of what an opened origin keeps, by this project's commands or as mongodump and mongorestore do it, and its restore. */
import { Database } from 'bun:sqlite';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import type { OriginContext } from '../../origin/origin-context.ts';
import { peopleFileName } from '../../origin/people/file.ts';
import { beginEpochAfterRestore } from '../../origin/store/mongo/after-restore.ts';
import { withTarget } from '../../origin/store/mongo/planning.ts';
import { putBack } from '../../origin/store/sqlite/backup/put-back.ts';
import { takeBackup } from '../../origin/store/sqlite/backup/take.ts';

/** Returns what puts it back while the origin is stopped; on MongoDB with `--nsExclude` of the names given. */
export async function backedUp({ settings, contract }: OriginContext, excluded: readonly string[]): Promise<() => Promise<void>> {
  const { mongodbUri: uri, dataDir } = settings;
  if (uri === undefined) {
    const { path } = await takeBackup({ dataDir, into: join(dataDir, 'backups'), now: new Date() });
    return async () => {
      letGo(join(dataDir, peopleFileName));
      await putBack({ dataDir, from: path, now: new Date(), needsNoManifest: false });
    };
  }
  const copies = await withDatabase(uri, async (database) => {
    const names = (await database.listCollections({ name: /^(?!system\.)/ }, { nameOnly: true }).toArray()).map(({ name }) => name);
    return Promise.all(names.map(async (name) => ({ name, documents: await database.collection(name).find().toArray() })));
  });
  return async () => {
    await withDatabase(uri, async (database) => {
      for (const { name, documents } of copies.filter(({ name }) => !excluded.includes(name))) {
        await database.collection(name).deleteMany({});
        if (documents.length > 0) await database.collection(name).insertMany(documents, { bypassDocumentValidation: true });
      }
    });
    await withTarget({ uri, resources: [...contract.resources.values()], isWritten: true }, beginEpochAfterRestore);
  };
}

/** Statements that nobody has collected keep a closed file open in this process, as they do not in one that has ended. */
function letGo(path: string): void {
  using file = new Database(path, { readonly: true });
  file.run('VACUUM INTO ?', [`${path}.copy`]);
  for (const beside of ['', '-wal', '-shm']) rmSync(path + beside, { force: true });
  renameSync(`${path}.copy`, path);
}

async function withDatabase<Given>(uri: string, work: (database: ReturnType<MongoClient['db']>) => Promise<Given>): Promise<Given> {
  await using client = new MongoClient(uri);
  return await work(client.db());
}
