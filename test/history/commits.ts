/**
 * What was committed, from the database's own log and by nothing that serves it: the truth that answers and
 * events are held against. The log may lose its beginning on the way, so it is read as it grows.
 */
import { join } from 'node:path';
import type { JsonObject } from '../../shared/contract/values.ts';
import { groupOf, groups, toImage } from './documents.ts';
import type { Commit } from './history.ts';
import { withDatabase } from '../support/store-file.ts';

interface Row {
  readonly seq: number;
  readonly token: string;
  readonly resource: string;
  readonly id: string;
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
}

export class CommitLog {
  readonly #path: string;
  readonly #commits: Commit[] = [];
  #read = 0;

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'tombolo.sqlite');
  }

  /** All commits of the history's documents until now. */
  read(): readonly Commit[] {
    withDatabase(this.#path, (database) => {
      const epoch = database.prepare<{ value: string }, []>(`SELECT value FROM _meta WHERE key = 'epoch'`).get()?.value ?? '';
      for (const row of database.prepare<Row, [number]>('SELECT seq, token, resource, id, kind, before, after FROM _log WHERE seq > ? ORDER BY seq').all(this.#read)) {
        this.#read = row.seq;
        if (row.id !== '') this.#take(epoch, row);
      }
    });
    return this.#commits;
  }

  /** Makes every cursor but the newest useless, as age does; nothing else is lost. */
  forget(): void {
    this.read();
    withDatabase(this.#path, (database) => database.run('DELETE FROM _log WHERE seq < (SELECT max(seq) FROM _log)'));
  }

  #take(epoch: string, { seq, token, resource, id, before, after }: Row): void {
    const [was, is] = [before, after].map((text) => (text === null ? undefined : ({ id, ...(JSON.parse(text) as JsonObject) } as JsonObject)));
    const group = groupOf(is ?? was ?? {});
    if (!groups.some(({ name }) => name === group)) return;
    const position = { epoch, order: seq.toString(16).padStart(12, '0') + token };
    this.#commits.push({ position, id, group, live: resource === 'reviews', before: was && toImage(was), after: is && toImage(is) });
  }
}
