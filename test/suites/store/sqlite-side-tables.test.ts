/** Side tables hold what the documents say, whoever wrote and whatever was displaced on the way: as if they were filled anew. */
import type { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { quote } from '../../../origin/store/sqlite/install/ddl.ts';
import { sideTablesOf } from '../../../origin/store/sqlite/install/side-tables.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { Random } from '../../support/random.ts';
import { inTime, put, remove } from './harness.ts';
import { openSqlitePlace } from './sqlite-place.ts';
import { everyThing } from './things.ts';

const named = ['open-things', 'timeless-things', 'numbered-things'];

function randomDocument(random: Random): JsonObject {
  const some = <T>(of: () => T) => Array.from({ length: random.below(4) }, of);
  return {
    text: `t${random.below(5)}`, sizes: some(() => random.below(3) + (random.chance(0.5) ? 0 : 0.5)),
    ...(random.chance(0.7) ? { tags: some(() => `g${random.below(4)}`) } : {}), ...(random.chance(0.7) ? { size: random.below(9) } : {}),
    ...(random.chance(0.3) ? { time: '2020-01-01T00:00:00.000Z' } : {}), ...(random.chance(0.3) ? { open: true } : {}),
  };
}

/** As programs write that know nothing of Tombolo: over the id, over the row, both, or not where something is in the way. */
function writeForeign(file: Database, { idKind, collection }: Resource, random: Random): void {
  const table = quote(collection);
  const id = () => (idKind === 'integer' ? 1 + random.below(8) : `${1 + random.below(8)}`);
  const [row, doc] = [1 + random.below(20), JSON.stringify(randomDocument(random))];
  random.pick([
    () => file.run(`INSERT OR REPLACE INTO ${table} (id, doc) VALUES (?, ?)`, [id(), doc]),
    () => file.run(`INSERT OR REPLACE INTO ${table} (n, id, doc) VALUES (?, ?, ?)`, [row, id(), doc]),
    () => file.run(`INSERT OR IGNORE INTO ${table} (id, doc) VALUES (?, ?)`, [id(), doc]),
    () => file.run(`INSERT INTO ${table} (id, doc) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc`, [id(), doc]),
    () => file.run(`UPDATE OR REPLACE ${table} SET id = ?, doc = ? WHERE id = ?`, [id(), doc, id()]),
    () => file.run(`UPDATE OR REPLACE ${table} SET n = ? WHERE id = ?`, [row, id()]),
    () => file.run(`UPDATE ${table} SET doc = ? WHERE n % 2 = ?`, [doc, random.below(2)]),
    () => file.run(`DELETE FROM ${table} WHERE id = ?`, [id()]),
  ] as const)();
}

function heldAndFilled(file: Database, resource: Resource): readonly [unknown, unknown] {
  const rows = () => sideTablesOf(resource).map(({ name }) =>
    file.query(`SELECT * FROM ${quote(name)}`).all().map((row) => JSON.stringify(row)).toSorted());
  file.run('BEGIN IMMEDIATE');
  try {
    const held = rows();
    for (const side of sideTablesOf(resource)) {
      file.run(`DELETE FROM ${quote(side.name)}`);
      file.run(side.fill(quote(resource.collection)));
    }
    return [held, rows()];
  } finally {
    file.run('ROLLBACK');
  }
}

test('side tables are as if filled anew after whatever was written', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  const resources = everyThing.filter(({ name }) => named.includes(name));
  const place = await openSqlitePlace({ resources });
  try {
    const file = place.foreign();
    for (let step = 0; step < 1_000; step++) {
      const of = resources[random.below(resources.length)];
      if (of === undefined) continue;
      const id = `${1 + random.below(8)}`;
      if (random.chance(0.7)) writeForeign(file, of, random);
      else await place.store.write([random.chance(0.3) ? remove(of, id) : put(of, id, randomDocument(random))], inTime());
      if (step % 10 !== 0) continue;
      const [held, filled] = heldAndFilled(file, of);
      expect({ seed, step, of: of.name, held }).toEqual({ seed, step, of: of.name, held: filled });
    }
  } finally {
    await place.remove();
  }
}, 60_000);
