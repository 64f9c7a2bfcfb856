/** Pages go on past whatever value others left where one ends, and show each document once, both ways. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { decimal } from '../../../shared/contract/types.ts';
import { inDatabase, makeTempDir } from '../../suites/store/sqlite-place.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';

let dataDir: string;
beforeEach(() => void (dataDir = makeTempDir()));
afterEach(() => rmSync(dataDir, { recursive: true }));

function rowsOf(n: z.ZodType): Resource {
  return resource({
    name: 'rows', id: { kind: 'string', format: z.string() }, schema: z.object({ n: n.optional() }),
    rules: { read: anyone, write: anyone }, shapes: { all: {}, byN: { range: 'n', sort: ['n', '-n'] } },
  });
}

/** The ids in this order, by pages of one, of a table that others made and filled. */
async function walked(rows: Resource, docs: Readonly<Record<string, string>>, sort: string): Promise<readonly string[]> {
  inDatabase(dataDir, (database) => {
    database.run('CREATE TABLE IF NOT EXISTS rows (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL)');
    for (const [id, doc] of Object.entries(docs)) database.run('INSERT OR IGNORE INTO rows (id, doc) VALUES (?, ?)', [id, doc]);
  });
  await using origin = await DirectOrigin.open({ TOMBOLO_DATA_DIR: dataDir }, contract(rows));
  const ids: string[] = [];
  let after = '';
  while (ids.length <= Object.keys(docs).length) {
    const { json, detail } = await origin.ask('list', rows, { query: `?limit=1&sort=${sort}${after}` });
    expect(detail).toBeUndefined();
    const { data, page } = json as unknown as { data: readonly { id: string }[]; page: { next: string | null } };
    ids.push(...data.map(({ id }) => id));
    if (page.next === null) break;
    after = `&after=${page.next}`;
  }
  return ids;
}

test.each(['n', '-n'])('an infinite number in SQLite is passed in its place, by sort=%s', async (sort) => {
  const docs = {
    none: '{}', least: '{"n":-9e999}', low: '{"n":-1}', high: '{"n":1}', most: '{"n":9e999}', more: '{"n":1e400}', text: '{"n":"a"}',
  };
  const ids = ['none', 'least', 'low', 'high', 'more', 'most', 'text'];
  expect(await walked(rowsOf(z.number()), docs, sort)).toEqual(sort === 'n' ? ids : ids.toReversed());
});

test.each(['n', '-n'])('a text of SQLite that goes on behind a decimal and NUL is passed in its place, by sort=%s', async (sort) => {
  const rows = rowsOf(decimal());
  const docs = {
    none: '{}', low: '{"n":"-2\\u0000x"}', some: '{"n":"1.5"}', high: '{"n":"20\\u0000"}', more: '{"n":"30"}', text: '{"n":"a"}',
  };
  const ids = ['none', 'low', 'some', 'high', 'more', 'text'];
  expect(await walked(rows, docs, sort)).toEqual(sort === 'n' ? ids : ids.toReversed());
  const refused = () => inDatabase(dataDir, (database) => database.run(`INSERT INTO rows (id, doc) VALUES ('new', '{"n":"1\\u0000"}')`));
  expect(refused).toThrow('tombolo: rows.n: must be');
});
