/** What was served is taken back, nulls and ids of others among it (SEMANTICS §10, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

/** Members that must be there and may be null, beside one that may be missing as well. */
const notes = resource({
  name: 'notes', id: 'uuid', rules: { read: anyone, write: anyone }, shapes: { all: {} },
  schema: z.object({
    text: z.string().nullable(), title: z.string(), more: z.string().nullable().optional(),
    sub: z.object({ by: z.string().nullable() }).optional(), any: z.unknown().optional(),
  }),
});
const kept: JsonObject = { rev: 3, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(notes))));
  afterAll(() => origin[Symbol.asyncDispose]());

  test('a null that must be there is sent back as it was served, and takes away what may be missing', async () => {
    // As another program names documents: a UUID of no version.
    const id = `44444444-4444-4444-4444-4444444444${engine === 'sqlite' ? '01' : '02'}`;
    const fields = { text: null, title: 'a', more: 'b', sub: { by: null }, any: 1 };
    await origin.put(notes, id, { ...fields, ...kept });
    const { json, etag } = await origin.ask('get', notes, { id });
    expect([json, (await origin.ask('patch', notes, { id, body: fields })).etag]).toEqual([{ id, ...fields, ...kept }, etag!]);
    for (const mode of ['merge', 'replace']) {
      const { text } = await origin.ask('import', notes, { query: `?onDuplicate=${mode}`, body: JSON.stringify(json) });
      expect([mode, text]).toEqual([mode, expect.stringContaining('"replaced":1,"skipped":0,"rejected":0')]);
    }
    expect((await origin.ask('get', notes, { id })).etag).toBe(etag!);
    const patched = await origin.ask('patch', notes, { id, body: { text: 'x', more: null, any: null, sub: { by: 'y' } } });
    const { updatedAt: _at, ...shown } = patched.json;
    expect(shown).toEqual({ id, text: 'x', title: 'a', sub: { by: 'y' }, rev: 4, createdAt: kept['createdAt'] ?? null });
    const nulls = { text: null, sub: { by: null } };
    expect((await origin.ask('patch', notes, { id, body: nulls })).json).toMatchObject(nulls);
    const refused = await origin.ask('patch', notes, { id, body: { title: null } });
    expect([refused.outcome, refused.errors.map((error) => error.at)]).toEqual(['document_invalid', ['/title']]);
  });
});
