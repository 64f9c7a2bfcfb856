/** The level and the action of a resource's validator: what another program's write meets. */
import type { Db, Document } from 'mongodb';
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { applyIn } from './applied.ts';
import { openFaultyPlace } from './faulty-place.ts';
import { decide, inTime } from './harness.ts';
import { nested } from './things.ts';

function boats(validation: ResourceDeclaration['validation']) {
  return resource({
    name: 'boats', id: { kind: 'string', format: z.string() },
    schema: z.object({ name: z.string(), masts: integer().optional() }),
    rules: { read: anyone, write: anyone }, shapes: { all: {} }, ...(validation === undefined ? {} : { validation }),
  });
}

interface Boat {
  readonly _id: string;
  readonly name?: unknown;
  readonly masts?: unknown;
}

const boatsOf = (foreign: Db) => foreign.collection<Boat>('boats');
const codeOf = (writing: Promise<unknown>): Promise<unknown> =>
  writing.then(
    () => undefined,
    (error: { readonly code?: unknown }) => error.code,
  );

/** A place whose collection held a document of the wrong type before Tombolo came. */
async function openAfterOthers(validation: ResourceDeclaration['validation']) {
  const before = await openFaultyPlace({ resources: [boats({ level: 'off' })] });
  await boatsOf(before.foreign).insertOne({ _id: 'old', name: 7 });
  // What is stricter than it was waits for somebody who says that no earlier version runs.
  await applyIn(before.foreign, [boats(validation)]);
  const store = await before.open({ resources: [boats(validation)] });
  return { ...before, store, [Symbol.asyncDispose]: () => before[Symbol.asyncDispose]() };
}

/** What four writes of another program come to: a new wrong document, one made wrong, a wrong one changed, a wrong one mended. */
async function fates(foreign: Db): Promise<readonly unknown[]> {
  const collection = boatsOf(foreign);
  await collection.insertOne({ _id: 'right', name: 'Fram' });
  return [
    await codeOf(collection.insertOne({ _id: 'new', name: 8 })),
    await codeOf(collection.updateOne({ _id: 'right' }, { $set: { name: 9 } })),
    await codeOf(collection.updateOne({ _id: 'old' }, { $set: { masts: 3 } })),
    await codeOf(collection.updateOne({ _id: 'old' }, { $set: { name: 'Gjøa' } })),
  ];
}

test.each([
  ['unless said, as moderate and error', undefined, [121, 121, undefined, undefined]],
  ['moderate lets what was wrong before stay so', { level: 'moderate' }, [121, 121, undefined, undefined]],
  ['strict lets it be mended alone', { level: 'strict' }, [121, 121, 121, undefined]],
  ['off refuses nothing', { level: 'off' }, [undefined, undefined, undefined, undefined]],
  ['warn refuses nothing', { level: 'strict', action: 'warn' }, [undefined, undefined, undefined, undefined]],
] as const)('%s', async (_title, validation, expected) => {
  await using place = await openAfterOthers(validation);
  expect(await fates(place.foreign)).toEqual([...expected]);
});

test('what warn lets in stands in the log of the database, and is served', async () => {
  await using place = await openAfterOthers({ action: 'warn' });
  await boatsOf(place.foreign).insertOne({ _id: 'new', name: 8 });
  const { log } = (await place.foreign.admin().command({ getLog: 'global' })) as unknown as { readonly log: readonly string[] };
  expect(log.map((line) => JSON.parse(line))).toMatchObject([
    {
      s: 'W',
      msg: 'Document would fail validation',
      attr: { namespace: `${place.foreign.databaseName}.boats`, document: { _id: 'new', name: 8 } },
    },
  ]);
  expect((await place.store.get(boats({ action: 'warn' }), 'new', inTime())).value?.text).toBe('{"id":"new","name":8}');
});

test.each([
  ['moderate', 'written'],
  ['strict', 'document_invalid'],
] as const)('our own change of a document that was wrong before, under %s, is %s', async (level, expected) => {
  await using place = await openAfterOthers({ level });
  const {
    outcomes: [outcome],
  } = await place.store.write([decide(boats({ level }), 'old', () => ({ kind: 'put', document: { name: 7, masts: 3 } }))], inTime());
  expect(outcome?.kind === 'refused' ? outcome.fault.reason : outcome?.kind).toBe(expected);
  if (outcome?.kind === 'refused') expect(outcome.fault.errors).toMatchObject([{ at: '/name' }]);
});

test('a start changes a validator where it is narrower than declared, and only there', async () => {
  await using place = await openAfterOthers({ level: 'strict' });
  const changes = () => place.server.history.commands('collMod').length;
  const before = changes();
  await place.open({ resources: [boats({ level: 'strict' })] });
  expect(changes()).toBe(before);
  const validation = async () => {
    const { options } = (await place.foreign.listCollections<{ name: string; options: Document }>({ name: 'boats' }).next()) ?? {};
    return [options?.['validationLevel'], options?.['validationAction']];
  };
  await place.open({ resources: [boats({ level: 'strict', action: 'warn' })] });
  expect([changes(), await validation()]).toEqual([before + 1, ['strict', 'warn']]);
  const store = await place.open({ resources: [boats({ level: 'moderate' })] });
  expect([changes(), await validation()]).toEqual([before + 2, ['moderate', 'warn']]);
  expect(store.state().pending).toEqual(['boats: narrower validator']);
  await applyIn(place.foreign, [boats({ level: 'moderate' })]);
  expect(await validation()).toEqual(['moderate', 'error']);
});

test('what an index walks inside others is checked where another program writes it, too', async () => {
  await using place = await openFaultyPlace({ resources: [nested] });
  const collection = place.foreign.collection<{ _id: string; imdb?: unknown }>(nested.name);
  for (const imdb of [{ rating: 'x' }, { by: [] }, [{ rating: 1 }], { at: 'yesterday' }]) {
    expect([imdb, await codeOf(collection.insertOne({ _id: 'wrong', imdb }))]).toEqual([imdb, 121]);
  }
  expect(await codeOf(collection.insertOne({ _id: 'right', imdb: { rating: null, by: {}, other: ['x'] } }))).toBeUndefined();
});
