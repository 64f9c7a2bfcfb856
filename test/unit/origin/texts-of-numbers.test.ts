/** A text that another program stored where a number is declared equals no number, whoever asks (SEMANTICS §3, §4). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decimal128, Long } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, not } from '../../../shared/contract/rules.ts';
import { decimal, integer, long } from '../../../shared/contract/types.ts';
import { signPosition } from '../../../origin/tokens.ts';
import { toAudience, toldOf } from '../../../origin/webhooks/audience.ts';
import type { StoredWebhook } from '../../../shared/webhooks/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { StoreFile } from '../../support/store-file.ts';
import { type Engine, engines } from '../../support/whole-world.ts';

const big = '9007199254740993';
const schema = z.object({
  n: z.number().optional(), whole: integer().optional(), price: decimal().optional(), serial: long().optional(),
  secret: z.string().optional(), name: z.string().optional(),
});
const common = {
  id: { kind: 'string', format: z.string() }, schema, shapes: { all: {} }, live: true, validation: { level: 'off' },
} as const;
const rows = resource({ ...common, name: 'rows', rules: { read: equals('n', 5), write: anyone } });
const prices = resource({ ...common, name: 'prices', rules: { read: equals('price', '5'), write: anyone } });
const serials = resource({ ...common, name: 'serials', rules: { read: equals('serial', big), write: anyone } });
const guarded = resource({
  ...common, name: 'guarded', shapes: { all: {}, ofN: { equal: ['n'] } },
  rules: { read: anyone, create: anyone, update: not(equals('whole', 5)), remove: equals('n', 5) },
  fieldRules: { secret: { read: equals('n', 5) }, name: { write: not(equals('n', 5)) } },
});

const ofAnybody: StoredWebhook = {
  owner: '', principal: JSON.stringify({ roles: [], claims: {} }), url: '', resource: 'guarded', events: [], payload: 'thin',
  ordered: false, secret: '', failures: 0, made: '',
};

interface Opened {
  readonly origin: DirectOrigin;
  /** Stores as another program does. */
  insert(collection: string, id: string, document: Readonly<Record<string, unknown>>): Promise<unknown>;
  close(): Promise<void>;
}

async function open(engine: Engine): Promise<Opened> {
  const declared = contract(rows, prices, serials, guarded);
  if (engine === 'sqlite') {
    const dir = mkdtempSync(join(tmpdir(), 'tombolo-texts-'));
    const file = new StoreFile(dir);
    return {
      origin: await DirectOrigin.open({ TOMBOLO_DATA_DIR: dir }, declared),
      // Reads of one turn of the event loop see one state.
      insert: async (collection, id, document) => (await file.insert(collection, id, document as JsonObject), Bun.sleep(1)),
      close: async () => rmSync(dir, { recursive: true }),
    };
  }
  const database = await openMongoDatabase();
  return {
    origin: await DirectOrigin.open({ MONGODB_URI: database.uri }, declared),
    insert: (collection, id, document) => database.foreign.collection(collection).insertOne({ _id: id as never, ...document }),
    close: () => database.remove(),
  };
}

describe.each(engines)('on %s', (engine) => {
  let opened: Opened;
  let origin: DirectOrigin;
  beforeAll(async () => {
    opened = await open(engine);
    origin = opened.origin;
  });
  afterAll(async () => {
    await origin[Symbol.asyncDispose]();
    await opened.close();
  });

  /** Those that a list and that gets show, of the ids given. */
  const seen = async (of: typeof rows, ids: readonly string[]) => {
    const { json } = await origin.ask('list', of, {});
    const gets = await Promise.all(ids.map(async (id) => [id, (await origin.ask('get', of, { id })).outcome] as const));
    return [
      (json['data'] as readonly { readonly id: string }[]).map(({ id }) => id),
      gets.flatMap(([id, outcome]) => (outcome === 'found' ? [id] : [])).sort(),
    ];
  };
  /** The numbers of MongoDB that are shown as text. */
  const shownAsText = (text: string) => (engine === 'mongodb' ? Decimal128.fromString(text) : 5);

  test('a row rule sees it in a list and in a get alike', async () => {
    const stored = { text: '5', more: '5.0', number: 5, exact: shownAsText('5.0'), other: 6 };
    for (const [id, n] of Object.entries(stored)) await opened.insert('rows', id, { n });
    expect(await seen(rows, Object.keys(stored))).toEqual([['exact', 'number'], ['exact', 'number']]);
  });

  test('a text in a field of decimals or longs is what the engine makes of it', async () => {
    await opened.insert('prices', 'text', { price: '5' });
    await opened.insert('prices', 'number', { price: engine === 'mongodb' ? Decimal128.fromString('5.0') : '5.0' });
    await opened.insert('serials', 'text', { serial: big });
    await opened.insert('serials', 'number', { serial: engine === 'mongodb' ? Long.fromString(big) : big });
    // SQLite has no other form for them.
    const expected = engine === 'mongodb' ? ['number'] : ['number', 'text'];
    expect(await seen(prices, ['number', 'text'])).toEqual([expected, expected]);
    expect(await seen(serials, ['number', 'text'])).toEqual([expected, expected]);
  });

  test('an event and its replay tell of it to nobody from whom a list hides it', async () => {
    const feedOf = (lastEventId?: string) => ({ msLeft: 800, parsed: { after: undefined, lastEventId, stream: undefined } });
    const before = await origin.context.store.head();
    const live = origin.ask('changes', rows, feedOf());
    await Bun.sleep(50);
    await opened.insert('rows', 'event-text', { n: '5' });
    await opened.insert('rows', 'event-exact', { n: shownAsText('5.00') });
    await opened.insert('rows', 'event-number', { n: 5 });
    const lastEventId = signPosition(before, origin.context.settings.keys[0]);
    for (const { text } of [await live, await origin.ask('changes', rows, feedOf(lastEventId))]) {
      expect(text.match(/event-\w+/g)).toEqual(['event-exact', 'event-number']);
    }
  });

  test('the filter of a webhook finds what that of a list finds', async () => {
    const audience = toAudience(guarded, { ...ofAnybody, filter: 'n=5' });
    const from = await origin.context.store.head();
    await opened.insert('guarded', 'filtered-exact', { n: shownAsText('5.00') });
    await opened.insert('guarded', 'filtered-text', { n: '5' });
    await opened.insert('guarded', 'filtered-other', { n: 6 });
    const told: unknown[] = [];
    for await (const batch of origin.context.store.watch(from, AbortSignal.timeout(800))) {
      if ('changes' in batch) told.push(...batch.changes.flatMap((change) => toldOf(change, audience) ?? []).map(({ id }) => id));
    }
    expect(told).toEqual(['filtered-exact']);
  });

  test('rules of writes and of fields are of one mind about it, before the write and after it', async () => {
    await opened.insert('guarded', 'text', { n: '5', whole: '5', secret: 'SECRET', name: 'a' });
    await opened.insert('guarded', 'number', { n: shownAsText('5.0'), whole: shownAsText('5.0'), secret: 'SECRET', name: 'a' });
    const { json } = await origin.ask('list', guarded, {});
    for (const [id, isShown] of [['text', false], ['number', true]] as const) {
      const listed = (json['data'] as readonly JsonObject[]).find((each) => each['id'] === id) ?? {};
      expect(['secret' in listed, 'secret' in (await origin.ask('get', guarded, { id })).json]).toEqual([isShown, isShown]);
    }
    expect((await origin.ask('patch', guarded, { id: 'text', body: { name: 'b' } })).outcome).toBe('written');
    expect((await origin.ask('patch', guarded, { id: 'number', body: { price: '1' } })).outcome).toBe('forbidden');
    expect((await origin.ask('remove', guarded, { id: 'text' })).outcome).toBe('forbidden');
    expect((await origin.ask('remove', guarded, { id: 'number' })).outcome).toBe('removed');
  });
});
