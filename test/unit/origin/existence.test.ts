/**
 * Whether a document exists that the caller may not see cannot be asked (SEMANTICS §8): whatever the operation and the
 * condition, it is answered as one that is not there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin, type DocumentOperation } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const schema = z.object({ by: z.string(), text: z.string() });
const shapes = { all: {} };
const read = any(owner('by'), role('auditor'));
/** Notes have ids that Tombolo makes. */
const notes = resource({ name: 'notes', schema, rules: { read, write: signedIn }, shapes, live: true });
/** Pages have ids that callers choose. */
const pages = resource({
  name: 'pages',
  id: { kind: 'string', format: z.string().regex(/^[a-z0-9-]+$/) },
  schema,
  rules: { read, create: role('editor'), update: signedIn, remove: signedIn },
  shapes,
});

const callers = {
  'whom nothing lets create': { subject: 'bob', roles: [], claims: {} },
  'who may create': { subject: 'bob', roles: ['editor'], claims: {} },
} as const;
const auditor = { subject: 'eve', roles: ['auditor'], claims: {} };
const owned = (text: string) => ({ by: 'bob', text });
const asking: readonly (readonly [operation: DocumentOperation, body?: object])[] = [
  ['get'], ['remove'], ['replace', owned('put')], ['replace', { by: 'eve', text: 'put' }],
  ['patch', { text: 'patched' }], ['patch', { text: 'as it is' }], ['patch', {}],
];
/** `etag` is the tag of the hidden document, as somebody may have told it. */
const conditionsFor = (etag: string): readonly Pick<DirectAsking, 'ifMatch' | 'ifNoneMatch'>[] => {
  const lists = ['*', '"x"', etag, `W/${etag}`, `"x",,${etag}`];
  const plain = lists.flatMap((list) => [{ ifMatch: list }, { ifNoneMatch: list }]);
  return [{}, ...plain, ...lists.map((list) => ({ ifMatch: list, ifNoneMatch: '"y"' })), { ifMatch: etag, ifNoneMatch: '*' }];
};

describe.each([...engines])('on %s, a document that the caller may not see', (engine) => {
  let origin: DirectOrigin;
  const hidden = { notes: '', pages: 'hidden-page' };
  const etags = { notes: '', pages: '' };
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(notes, pages));
    const body = { by: 'ada', text: 'as it is' };
    const note = await origin.ask('create', notes, { body });
    const page = await origin.ask('replace', pages, { id: hidden.pages, body });
    hidden.notes = String(note.json['id']);
    etags.notes = note.etag ?? '';
    etags.pages = page.etag ?? '';
    expect([note.outcome, page.outcome]).toEqual(['created', 'created']);
  });
  afterAll(async () => {
    for (const asked of [notes, pages]) {
      expect((await origin.ask('get', asked, { id: hidden[asked.name as 'notes' | 'pages'] })).etag).toBe(
        etags[asked.name as 'notes' | 'pages'],
      );
    }
    await origin[Symbol.asyncDispose]();
  });

  test.each(Object.entries(callers))('is answered like one that is not there, to one %s', async (_who, principal) => {
    let compared = 0;
    for (const condition of conditionsFor(etags.notes)) {
      for (const [operation, body] of asking) {
        for (const key of [{}, { idempotencyKey: crypto.randomUUID() }]) {
          const ask = (id: string) =>
            origin.ask(operation, notes, {
              id,
              ...condition,
              principal,
              ...(body === undefined ? {} : { body }),
              ...(operation === 'get' ? {} : key),
            });
          const [there, absent] = [hidden.notes, Bun.randomUUIDv7()];
          expect([operation, condition, told(await ask(there), there)]).toEqual([operation, condition, told(await ask(absent), absent)]);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(200);
  });

  test.each(Object.entries(callers))(
    'whose name a caller may choose is so too, but where one of that name would be made, to one %s',
    async (_who, principal) => {
      let made = 0;
      for (const condition of conditionsFor(etags.pages))
        for (const [operation, body] of asking) {
          const ask = (id: string) =>
            origin.ask(operation, pages, { id, ...condition, principal, ...(body === undefined ? {} : { body }) });
          const absent = `absent-${crypto.randomUUID()}`;
          const [given, wanted] = [await ask(hidden.pages), await ask(absent)];
          if (wanted.outcome === 'created') made++;
          if (wanted.outcome === 'created')
            expect([operation, condition, given.outcome]).toEqual([operation, condition, 'document_exists']);
          else expect([operation, condition, told(given, hidden.pages)]).toEqual([operation, condition, told(wanted, absent)]);
        }
      expect(made > 0).toBe(principal === callers['who may create']);
    },
  );

  test.each(['reject', 'skip', 'replace', 'merge'])(
    'is no duplicate of an imported row that names it, with onDuplicate=%s',
    async (onDuplicate) => {
      for (const [asked, principal] of [
        [notes, callers['who may create']],
        [pages, callers['whom nothing lets create']],
      ] as const) {
        const there = hidden[asked.name as 'notes' | 'pages'];
        const absent = asked === notes ? Bun.randomUUIDv7() : 'absent-row';
        const rows = (id: string) =>
          origin.ask('import', asked, { query: `?onDuplicate=${onDuplicate}`, body: { id, ...owned('row') }, principal });
        const given = told(await rows(there), there);
        expect(given).toEqual(told(await rows(absent), absent));
        expect((await origin.ask('get', asked, { id: absent, principal: auditor })).outcome).toBe('absent');
      }
    },
  );

  test('does not stand in the way of rows without ids, of own ones, or of one who may see all', async () => {
    const rows = (query: string, row: object, principal: Principal) => origin.ask('import', notes, { query, body: row, principal });
    const bob = callers['who may create'];
    expect((await rows('', owned('first'), bob)).text).toContain('"imported":1');
    const [own] = (await origin.ask('list', notes, { principal: bob })).json['data'] as unknown as readonly { id: string }[];
    expect((await rows('?onDuplicate=replace', { id: own?.id, ...owned('second') }, bob)).text).toContain('"replaced":1');
    expect((await rows('?onDuplicate=skip', { id: own?.id, ...owned('third') }, bob)).text).toContain('"skipped":1');
    expect((await rows('', { id: Bun.randomUUIDv7(), ...owned('named') }, auditor)).text).toContain('"imported":1');
  });
});

/** What an answer tells, but for the id that was asked for and where it was read or written. */
function told({ readAt: _readAt, writtenAt: _writtenAt, text, ...told }: DirectAnswer, id: string): object {
  return { ...told, text: text.replaceAll(id, '<id>') };
}
