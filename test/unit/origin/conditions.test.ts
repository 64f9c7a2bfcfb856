/** Preconditions of writes (RFC 9110 §13): what holds is done, what does not is refused and changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, owner, signedIn } from '../../../shared/contract/rules.ts';
import type { FaultReason } from '../../../shared/wire/fault.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const named = { kind: 'string', format: z.string().regex(/^[a-z0-9]+$/) } as const;
const schema = z.object({ by: z.string(), text: z.string() });
const bob = { subject: 'bob', roles: [], claims: {} };
const notes = resource({
  name: 'notes',
  schema,
  rules: { read: anyone, create: signedIn, update: owner('by'), remove: owner('by') },
  shapes: { all: {} },
});
const pages = resource({ name: 'pages', id: named, schema, rules: { read: anyone, write: signedIn }, shapes: { all: {} } });
const drafts = resource({
  name: 'drafts',
  id: named,
  schema,
  rules: { read: anyone, write: signedIn },
  shapes: { all: {} },
  preconditions: 'required',
});

type Given = Pick<DirectAsking, 'ifMatch' | 'ifNoneMatch' | 'idempotencyKey' | 'principal'>;
const body = (text: string) => ({ by: 'ada', text });
const writes = ['replace', 'patch', 'remove'] as const;
type Write = (typeof writes)[number];
const bodies: Readonly<Record<Write, (text: string) => DirectAsking>> = {
  replace: (text) => ({ body: body(text) }),
  patch: (text) => ({ body: { text } }),
  remove: () => ({}),
};

describe.each([...engines])('preconditions on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(notes, pages, drafts))));
  afterAll(() => origin[Symbol.asyncDispose]());

  let serial = 0;
  const newNote = async () => {
    const { json, etag = '' } = await origin.ask('create', notes, { body: body(`note ${serial++}`) });
    return { id: String(json['id']), etag };
  };
  const etagOf = async (id: string) => (await origin.ask('get', notes, { id })).etag;
  const write = (resource: Resource, id: string, operation: Write, given: Given) =>
    origin.ask(operation, resource, { ...bodies[operation](`changed ${serial++}`), id, ...given });
  const expectRefused = ({ outcome }: DirectAnswer, reason: FaultReason) => expect(outcome).toBe(reason);

  const refusing: readonly (readonly [what: string, given: (etag: string) => Given])[] = [
    ['If-None-Match: *', () => ({ ifNoneMatch: '*' })],
    ['If-None-Match with its tag', (etag) => ({ ifNoneMatch: etag })],
    ['If-None-Match with its tag as a weak one', (etag) => ({ ifNoneMatch: `W/${etag}` })],
    ['If-None-Match with its tag in a list', (etag) => ({ ifNoneMatch: `, "a,b",, ${etag} ,` })],
    ['If-Match with another tag', () => ({ ifMatch: '"other"' })],
    ['If-Match with its tag as a weak one', (etag) => ({ ifMatch: `W/${etag}` })],
    ['If-Match that holds and If-None-Match that does not', (etag) => ({ ifMatch: etag, ifNoneMatch: `"x", ${etag}` })],
    ['If-None-Match that holds and If-Match that does not', () => ({ ifMatch: '"x"', ifNoneMatch: '"x"' })],
  ];
  const allowing: readonly (readonly [what: string, given: (etag: string) => Given])[] = [
    ['If-None-Match with another tag', () => ({ ifNoneMatch: '"zzz"' })],
    ['If-Match: *', () => ({ ifMatch: '*' })],
    ['If-Match with its tag in a list with empty elements', (etag) => ({ ifMatch: `"a",,${etag},` })],
    ['both, which hold', (etag) => ({ ifMatch: `"a", ${etag}`, ifNoneMatch: '"b", W/"c"' })],
  ];

  test.each(writes)('%s is not done where a condition does not hold', async (operation) => {
    for (const [what, given] of refusing) {
      const { id, etag } = await newNote();
      const answer = await write(notes, id, operation, given(etag));
      expect([what, answer.outcome]).toEqual([what, 'precondition_failed']);
      expect(await etagOf(id)).toBe(etag);
    }
  });

  test.each(writes)('%s is done where they hold', async (operation) => {
    for (const [what, given] of allowing) {
      const { id, etag } = await newNote();
      const answer = await write(notes, id, operation, given(etag));
      expect([what, answer.outcome]).toEqual([what, operation === 'remove' ? 'removed' : 'written']);
      expect(await etagOf(id)).not.toBe(etag);
    }
  });

  test.each(writes)(
    '%s of what is not there is not found, and of what the caller may not change forbidden, whatever the condition',
    async (operation) => {
      const { id, etag } = await newNote();
      for (const [, given] of [...refusing, ...allowing]) {
        expectRefused(await write(notes, crypto.randomUUID(), operation, given(etag)), 'document_not_found');
        expectRefused(await write(notes, id, operation, { ...given(etag), principal: bob }), 'forbidden');
      }
      expect(await etagOf(id)).toBe(etag);
    },
  );

  test('reads of what is not there find nothing, whatever the condition', async () => {
    for (const given of [{ ifMatch: '*' }, { ifMatch: '"x"' }, { ifNoneMatch: '*' }]) {
      expect((await origin.ask('get', notes, { id: crypto.randomUUID(), ...given })).outcome).toBe('absent');
    }
  });

  test('a replacement creates by name where nothing is there, and If-None-Match: * asks for that alone', async () => {
    const put = (id: string, given: Given) => origin.ask('replace', pages, { id, body: body(`page ${serial++}`), ...given });
    expectRefused(await put('one', { ifMatch: '*' }), 'precondition_failed');
    expectRefused(await put('one', { ifMatch: '"x"' }), 'precondition_failed');
    expect((await put('one', { ifNoneMatch: '*' })).outcome).toBe('created');
    expectRefused(await put('one', { ifNoneMatch: '*' }), 'precondition_failed');
    expect((await put('one', { ifNoneMatch: '"zzz"' })).outcome).toBe('written');
    expect((await put('two', { ifNoneMatch: '"zzz"' })).outcome).toBe('created');
  });

  test('what creates under no name takes none, since it is about no document yet', async () => {
    for (const given of [{ ifMatch: '*' }, { ifNoneMatch: '*' }, { ifNoneMatch: '"x"' }]) {
      expectRefused(await origin.ask('create', notes, { body: body('posted'), ...given }), 'header_invalid');
      expectRefused(await origin.ask('import', notes, { body: body('posted'), ...given }), 'header_invalid');
    }
    expect((await origin.ask('list', notes, { query: '?limit=200' })).text).not.toContain('posted');
  });

  test('a key of idempotency used again under another condition is another request', async () => {
    const { id, etag } = await newNote();
    const idempotencyKey = crypto.randomUUID();
    const patch = (given: Given) => origin.ask('patch', notes, { ...bodies.patch('once'), id, ...given, idempotencyKey });
    const first = await patch({ ifNoneMatch: '"a"' });
    expect([first.outcome, (await patch({ ifNoneMatch: '"a"' })).text]).toEqual(['written', first.text]);
    for (const given of [{}, { ifNoneMatch: '"b"' }, { ifMatch: etag }]) expectRefused(await patch(given), 'idempotency_mismatch');
  });

  test('a key of idempotency is the same one in quotes and bare', async () => {
    const post = (idempotencyKey: string) => origin.ask('create', notes, { body: body('once'), idempotencyKey });
    const bare = crypto.randomUUID();
    const made = await post(bare);
    expect(made.outcome).toBe('created');
    expect((await post(`"${bare}"`)).text).toBe(made.text);
    const quoted = `"order ${bare} of \\"ada\\""`;
    expect((await post(quoted)).text).toBe((await post(quoted)).text);
    expectRefused(await post('order of ada'), 'header_invalid');
  });

  describe('a resource that demands them', () => {
    const put = (id: string, given: Given) => origin.ask('replace', drafts, { id, body: body(`draft ${serial++}`), ...given });

    test('creates and changes nothing without them', async () => {
      expectRefused(await put('bare', {}), 'precondition_required');
      expectRefused(await put('bare', { ifNoneMatch: '"zzz"' }), 'precondition_required');
      expect((await origin.ask('get', drafts, { id: 'bare' })).outcome).toBe('absent');
      const made = await put('kept', { ifNoneMatch: '*' });
      expect(made.outcome).toBe('created');
      for (const operation of writes) expectRefused(await write(drafts, 'kept', operation, {}), 'precondition_required');
      for (const operation of ['patch', 'remove'] as const) {
        expectRefused(await write(drafts, 'kept', operation, { ifNoneMatch: '*' }), 'precondition_required');
      }
      expect((await origin.ask('get', drafts, { id: 'kept' })).text).toBe(made.text);
    });

    test('changes what was read', async () => {
      let { etag } = await put('read', { ifNoneMatch: '*' });
      for (const operation of writes) {
        const answer = await write(drafts, 'read', operation, { ifMatch: etag });
        expect(answer.outcome).toBe(operation === 'remove' ? 'removed' : 'written');
        etag = answer.etag;
      }
    });

    test('takes what was not there before by create and import, and lets no row replace another', async () => {
      expect((await origin.ask('create', drafts, { body: { id: 'posted', by: 'ada', text: 'x' } })).outcome).toBe('created');
      const row = { id: 'row', by: 'ada', text: 'x' };
      expect((await origin.ask('import', drafts, { body: row })).text).toContain('"imported":1');
      expect((await origin.ask('import', drafts, { query: '?onDuplicate=skip', body: row })).text).toContain('"skipped":1');
      expectRefused(await origin.ask('import', drafts, { query: '?onDuplicate=replace', body: row }), 'precondition_required');
    });
  });
});
