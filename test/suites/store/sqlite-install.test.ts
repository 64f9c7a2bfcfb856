/** The file follows the contract, and documents are never touched. */
import type { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import * as z from 'zod';
import { DeclarationError } from '../../../shared/checks/mistakes.ts';
import { type ResourceDeclaration, type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { instant, integer } from '../../../shared/contract/types.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import type { ListRequest, Store } from '../../../origin/store/store.ts';
import { digest64 } from '../../../shared/wire/hash.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { changesTo } from './read-changes.ts';
import { inTime, put, textOf } from './harness.ts';
import { inDatabase, makeTempDir } from './sqlite-place.ts';

let dataDir: string;
beforeEach(() => void (dataDir = makeTempDir()));
afterEach(() => rmSync(dataDir, { recursive: true }));

function notes(declared: Pick<ResourceDeclaration, 'shapes'> & Partial<ResourceDeclaration>): Resource {
  const schema = z.object({ text: z.string(), when: z.string().optional(), tags: z.array(z.string()).optional() });
  return resource({
    name: 'notes',
    id: { kind: 'string', format: z.string() },
    schema,
    rules: { read: anyone, write: anyone },
    ...declared,
  });
}

async function withStore<T>(resources: readonly Resource[], use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openSqliteStore({ dataDir, resources });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const inFile = <T>(use: (database: Database) => T) => inDatabase(dataDir, use);

const namesInFile = () =>
  inFile((database) =>
    database
      .prepare<{ name: string }, []>(`SELECT name FROM sqlite_master WHERE name LIKE 'notes%' AND type IN ('table', 'index') ORDER BY name`)
      .all()
      .map(({ name }) => name),
  );
const columnsInFile = () =>
  inFile((database) =>
    database
      .prepare<{ name: string }, []>(`SELECT name FROM pragma_table_xinfo('notes')`)
      .all()
      .map(({ name }) => name),
  );
const epochOf = async (store: Store) => (await store.head()).epoch;

async function ids(store: Store, listed: Resource, shape: string, request: Partial<ListRequest> = {}): Promise<readonly string[]> {
  const sort = listed.shapes.find(({ name }) => name === shape)?.sorts[0] ?? [];
  const { value } = await store.list(
    listed,
    { equal: {}, range: undefined, sort, where: true, after: undefined, limit: 100, ...request },
    inTime(),
  );
  return value.map(({ document }) => document.id);
}

const plain = notes({ shapes: { all: {} } });

const createNotes = 'CREATE TABLE notes (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, doc TEXT NOT NULL)';

describe('opening', () => {
  test('a file that fits changes nothing in it', async () => {
    const all = notes({ shapes: { all: {}, byText: { sort: ['-text'] }, ofTag: { equal: ['tags'], sort: ['text'] } } });
    await withStore([all], async (store) => store.write([put(all, 'a', { text: 'a', tags: ['x'] })], inTime()));
    const state = () =>
      inFile((database) => [
        database.prepare('PRAGMA schema_version').values(),
        database.prepare('SELECT * FROM _log').values(),
        database.prepare('SELECT * FROM _meta').values(),
      ]);
    const before = state();
    await withStore([all], async () => undefined);
    expect(state()).toEqual(before);
  });

  test('with new shapes indexes the documents that are there, in the same history', async () => {
    const epoch = await withStore([plain], async (store) => {
      await store.write([put(plain, 'a', { text: '2', tags: ['x', 'y'] }), put(plain, 'b', { text: '1', tags: ['x', 'x'] })], inTime());
      return epochOf(store);
    });
    const more = notes({ shapes: { all: {}, byText: { sort: ['text'] }, ofTag: { equal: ['tags'], sort: ['text'] } } });
    await withStore([more], async (store) => {
      expect(await ids(store, more, 'byText')).toEqual(['b', 'a']);
      expect(await ids(store, more, 'ofTag', { equal: { tags: ['x'] } })).toEqual(['b', 'a']);
      expect(await ids(store, more, 'ofTag', { equal: { tags: ['y'] } })).toEqual(['a']);
      expect(await epochOf(store)).toBe(epoch);
    });
  });

  test('an earlier and a later version in turn refuse none of each other\'s documents, and go on in one history', async () => {
    const later = notes({ schema: z.object({ text: z.number(), stars: integer() }), shapes: { all: {}, byText: { sort: ['text'] } } });
    const turn = (version: Resource, id: string, document: JsonObject) =>
      withStore([version], async (store) => {
        const [outcome] = (await store.write([put(version, id, document)], inTime())).outcomes;
        return [outcome?.kind, await textOf(store, version, 'a'), await epochOf(store)] as const;
      });
    const [, , epoch] = await turn(plain, 'a', { text: 'x' });
    const expected = ['written', '{"id":"a","text":"x"}', epoch] as const;
    expect(await turn(later, 'b', { text: 1, stars: 2 })).toEqual(expected);
    expect(await turn(plain, 'c', { text: 'y' })).toEqual(expected);
    expect(await turn(later, 'd', { text: 2, stars: 3 })).toEqual(expected);
  });

  test('with fewer shapes drops their indexes, columns and side tables', async () => {
    const more = notes({
      shapes: { all: {}, byText: { sort: ['text'] }, byWhen: { sort: ['-when'] }, ofTag: { equal: ['tags'], sort: ['text'] } },
    });
    await withStore([more], async (store) => store.write([put(more, 'a', { text: 'a' })], inTime()));
    expect(namesInFile()).toEqual(['notes', 'notes:has.tags+text,id', 'notes:text,id', 'notes:when,id']);
    const fewer = notes({ shapes: { all: {}, byText: { sort: ['text'] } } });
    await withStore([fewer], async (store) => expect(await ids(store, fewer, 'byText')).toEqual(['a']));
    expect(namesInFile()).toEqual(['notes', 'notes:text,id']);
    expect(columnsInFile()).toEqual(['n', 'id', 'doc', 'r_text', 'v_text']);
  });

  test('with a side table of an older make fills it anew, in the same history', async () => {
    const tagged = notes({ shapes: { all: {}, ofTag: { equal: ['tags'], sort: ['text'] } } });
    const epoch = await withStore([tagged], async (store) => {
      await store.write([put(tagged, 'a', { text: '2', tags: ['x'] }), put(tagged, 'b', { text: '1', tags: ['x'] })], inTime());
      return epochOf(store);
    });
    const side = '"notes:has.tags+text,id"';
    inFile((database) => {
      const older =
        database
          .prepare<{ sql: string }, []>(`SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'notes:has.tags+text,id'`)
          .get()
          ?.sql.replace(', "n" integer NOT NULL', '') ?? '';
      expect(older).not.toContain('"n"');
      database.run(`DROP TABLE ${side}`);
      database.run(older);
    });
    await withStore([tagged], async (store) => {
      expect(await ids(store, tagged, 'ofTag', { equal: { tags: ['x'] } })).toEqual(['b', 'a']);
      expect(await epochOf(store)).toBe(epoch);
    });
  });

  test('with another kind of field orders by that', async () => {
    const texts = notes({ shapes: { all: {}, byWhen: { sort: ['when'] } } });
    const [early, odd] = ['2020-01-01T00:00:00.000Z', 'yesterday'];
    await withStore([texts], async (store) => {
      await store.write([put(texts, 'early', { text: '', when: early }), put(texts, 'odd', { text: '', when: odd })], inTime());
      expect(await ids(store, texts, 'byWhen')).toEqual(['early', 'odd']);
    });
    const instants = notes({
      schema: z.object({ text: z.string(), when: instant().optional() }),
      shapes: { all: {}, byWhen: { sort: ['when'] } },
    });
    await withStore([instants], async (store) => expect(await ids(store, instants, 'byWhen')).toEqual(['odd', 'early']));
  });

  test('under another read rule has the indexes that it needs', async () => {
    const owned = notes({ shapes: { all: {} }, rules: { read: owner('text'), write: anyone } });
    await withStore([plain], async (store) => store.write([put(plain, 'a', { text: 'ann' }), put(plain, 'b', { text: 'bob' })], inTime()));
    await withStore([owned], async (store) =>
      expect(await ids(store, owned, 'all', { where: { kind: 'equals', field: 'text', value: 'bob' } })).toEqual(['b']),
    );
  });

  test('a table that others made takes it over, with a new history', async () => {
    inFile((database) => database.run(`${createNotes}; INSERT INTO notes(id, doc) VALUES ('a', '{ "text" : 1 }'), ('b', '{ }')`));
    await withStore([plain], async (store) => {
      expect([await textOf(store, plain, 'a'), await textOf(store, plain, 'b')].map((text) => JSON.parse(text ?? ''))).toEqual([
        { id: 'a', text: 1 },
        { id: 'b' },
      ]);
      const { position } = await store.write([put(plain, 'c', { text: 'c' })], inTime());
      expect(await ids(store, plain, 'all')).toEqual(['a', 'b', 'c']);
      expect(position.epoch).toBe(await epochOf(store));
    });
  });

  test.each([`[]`, `{"id":"a"}`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `nonsense`, ` {}`])(
    'a table with %s for a document refuses and names it',
    async (doc) => {
      inFile((database) =>
        database.run(
          `${createNotes}; INSERT INTO notes(id, doc) VALUES ('fine', '{}'), ('odd', '${doc}')`,
        ),
      );
      await expect(openSqliteStore({ dataDir, resources: [plain] })).rejects.toThrow('doc of "odd" must be');
    },
  );

  test('a table whose triggers were of an older make, which let more through, refuses what is no document', async () => {
    await withStore([plain], async () => undefined);
    inFile((database) => {
      const older = database
        .prepare<{ name: string; sql: string }, []>(`SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%twice%'`)
        .all()
        .map(({ name, sql }) => ({ name, sql: sql.replaceAll('json_tree(NEW."doc") WHERE key', 'json_each(NEW."doc") WHERE key') }));
      for (const { name, sql } of older) database.run(`DROP TRIGGER "${name}"; ${sql}`);
      const triggers = database.prepare<{ sql: string }, []>(`SELECT sql FROM sqlite_master WHERE type = 'trigger' ORDER BY sql`).all();
      database.run(`UPDATE "_meta" SET value = ? WHERE key = 'triggers:notes'`, [digest64(triggers.map(({ sql }) => sql).join('\n'))]);
      database.run(`INSERT INTO notes(id, doc) VALUES ('odd', '{"text":"a","more":{"b":1,"b":2}}')`);
    });
    await expect(openSqliteStore({ dataDir, resources: [plain] })).rejects.toThrow('doc of "odd" must be');
    inFile((database) => database.run(`UPDATE notes SET doc = '{"text":"a"}' WHERE id = 'odd'`));
    await withStore([plain], async (store) => expect(await textOf(store, plain, 'odd')).toBe('{"id":"odd","text":"a"}'));
  });

  test('a table that cannot be a resource refuses in clear words', async () => {
    inFile((database) => database.run('CREATE TABLE notes (id TEXT PRIMARY KEY, title TEXT)'));
    await expect(openSqliteStore({ dataDir, resources: [plain] })).rejects.toThrow("the table notes exists and is not Tombolo's");
  });

  test('without a resource and then with it begins a new history, and says which resource is in doubt', async () => {
    const other = resource({ name: 'others', schema: z.object({}), rules: { read: anyone }, shapes: { all: {} } });
    const old = await withStore([plain, other], async (store) => (await store.write([put(plain, 'a', { text: 'a' })], inTime())).position);
    await withStore([other], async (store) => expect(await epochOf(store)).toBe(old.epoch));
    inFile((database) => database.run(`INSERT INTO notes(id, doc) VALUES ('unseen', '{"text":"b"}')`));
    await withStore([plain, other], async (store) => {
      const head = await store.head();
      expect(head.epoch).not.toBe(old.epoch);
      const log = inFile((database) => database.prepare(`SELECT kind, resource FROM _log ORDER BY seq DESC LIMIT 2`).values());
      expect(log).toEqual([['resource', 'notes'], ['start', '']]);
      expect(await ids(store, plain, 'all')).toEqual(['a', 'unseen']);
    });
  });
});

describe('a schema that became stricter', () => {
  const loose = notes({ schema: z.object({ text: z.string(), size: z.union([z.string(), z.number()]).optional() }), shapes: { all: {} } });
  const strict = notes({ schema: z.object({ text: z.string(), size: integer() }), shapes: { all: {} } });

  test('refuses new documents, and names the field', async () => {
    await withStore([strict], async (store) => {
      const { outcomes } = await store.write(
        [put(strict, 'a', { text: 'a', size: '1' }), put(strict, 'b', { text: 'b' }), put(strict, 'c', { text: 'c', size: 1 })],
        inTime(),
      );
      expect(outcomes.map((outcome) => (outcome.kind === 'refused' ? [outcome.fault.reason, outcome.fault.errors] : outcome.kind))).toEqual(
        [
          ['document_invalid', [{ at: '/size', in: 'body', detail: 'must be an integer' }]],
          ['document_invalid', [{ at: '/size', in: 'body', detail: 'must be an integer' }]],
          'written',
        ],
      );
    });
  });

  test('leaves old documents readable, and editable where they are not wrong', async () => {
    await withStore([loose], async (store) =>
      store.write([put(loose, 'a', { text: 'a', size: '1' }), put(loose, 'b', { text: 'b' })], inTime()),
    );
    await withStore([strict], async (store) => {
      expect(await textOf(store, strict, 'a')).toBe('{"id":"a","text":"a","size":"1"}');
      const { outcomes } = await store.write(
        [
          put(strict, 'a', { text: 'new', size: '1' }),
          put(strict, 'a', { text: 'new', size: '2' }),
          put(strict, 'b', { text: 'new' }),
          put(strict, 'b', { text: 'new', size: 1 }),
        ],
        inTime(),
      );
      expect(outcomes.map(({ kind }) => kind)).toEqual(['written', 'refused', 'written', 'written']);
    });
  });

  test('keeps the history', async () => {
    const from = await withStore([loose], (store) => store.head());
    await withStore([strict], async (store) => {
      const { position } = await store.write([put(strict, 'a', { text: 'a', size: 1 })], inTime());
      expect(await changesTo(store, from, position)).toHaveLength(1);
    });
  });
});

test('fields that SQLite cannot tell apart are a mistake of the declaration', async () => {
  const told = notes({
    schema: z.object({ sku: z.string(), SKU: z.string() }),
    shapes: { one: { equal: ['sku'] }, other: { equal: ['SKU'] } },
  });
  await expect(withStore([told], async () => undefined)).rejects.toThrow(
    new DeclarationError([
      'shared/resources/notes.ts: resource "notes": shapes: indexed fields differ in case alone, which SQLite\'s columns cannot: SKU, sku',
    ]),
  );
});
