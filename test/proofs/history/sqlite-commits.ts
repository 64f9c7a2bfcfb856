/** The commits of a SQLite store, from its log of changes. */
import type { Database } from 'bun:sqlite';
import { join } from 'node:path';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { withDatabase } from '../../support/store-file.ts';
import { type CommitSource, toCommit } from './commits.ts';
import type { Commit } from './history.ts';

interface Row {
  readonly seq: number;
  readonly token: string;
  readonly resource: string;
  readonly id: string;
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
}

export class SqliteCommits implements CommitSource {
  readonly #path: string;
  readonly #commits: Commit[] = [];
  #read = 0;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'tombolo.sqlite');
  }

  read(): readonly Commit[] {
    withDatabase(this.#path, (database) => this.#readOn(database));
    return this.#commits;
  }

  /** Nothing is committed between the two. */
  forget(): void {
    withDatabase(this.#path, (database) => {
      database.run('BEGIN IMMEDIATE');
      this.#readOn(database);
      database.run('DELETE FROM _log WHERE seq < (SELECT max(seq) FROM _log)');
      database.run('COMMIT');
    });
  }

  #readOn(database: Database): void {
    const epoch = database.prepare<{ value: string }, []>(`SELECT value FROM _meta WHERE key = 'epoch'`).get()?.value ?? '';
    for (const row of database
      .prepare<Row, [number]>('SELECT seq, token, resource, id, kind, before, after FROM _log WHERE seq > ? ORDER BY seq')
      .all(this.#read)) {
      this.#read = row.seq;
      if (row.id !== '') this.#take(epoch, row);
    }
  }

  #take(epoch: string, { seq, token, resource, id, before, after }: Row): void {
    const [was, is] = [before, after].map((text) =>
      text === null ? undefined : ({ id, ...(JSON.parse(text) as JsonObject) } as JsonObject),
    );
    const position = { epoch, order: seq.toString(16).padStart(12, '0') + token };
    const commit = toCommit({ position, resource, id, before: was, after: is });
    if (commit !== undefined) this.#commits.push(commit);
  }
}
