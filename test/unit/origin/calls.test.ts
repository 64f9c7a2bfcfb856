/** Calls without HTTP: made and refused as over the hop, and carried out by the handlers of their rows. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { ReadAccess } from '../../../origin/access/read-access.ts';
import type { WriteAccess } from '../../../origin/access/write-access.ts';
import type { Answer, Call } from '../../../origin/call.ts';
import { type Asking, toCall } from '../../../origin/calls.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';
import type { DocumentQuery } from '../../../shared/contract/query.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { ada, DirectOrigin } from '../../support/direct-origin.ts';
import { askOverHop } from '../../support/pipeline.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { engines } from '../../support/whole-world.ts';

const named = { id: { kind: 'string', format: z.string() }, schema: z.object({ n: z.int() }) } as const;
const notes = resource({
  ...named,
  name: 'notes',
  rules: { read: anyone, write: role('editor') },
  shapes: { all: {}, byN: { equal: ['n'] } },
});
const drafts = resource({
  ...named,
  name: 'drafts',
  rules: { read: anyone, write: role('editor') },
  shapes: { all: {} },
  preconditions: 'required',
});

describe.each([...engines])('a call on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(notes, drafts))));
  afterAll(() => origin[Symbol.asyncDispose]());

  test('takes its input as a query string or as what the row makes of one', async () => {
    for (const n of [1, 2]) expect((await origin.ask('create', notes, { body: { id: `listed-${n}`, n } })).outcome).toBe('created');
    const query = '?n=2&limit=5';
    const byQuery = await origin.ask('list', notes, { query });
    expect(byQuery.json['data']).toMatchObject([{ id: 'listed-2', n: 2 }]);
    const { text } = await origin.ask('list', notes, { parsed: documents.list.parse(notes, query) });
    expect(text).toBe(byQuery.text);
  });

  test('of one idempotency key has one effect, whichever way it comes', async () => {
    const [body, idempotencyKey] = [JSON.stringify({ id: 'once', n: 1 }), crypto.randomUUID()];
    const first = await origin.ask('create', notes, { body, idempotencyKey });
    const headers = { 'idempotency-key': idempotencyKey };
    const second = await askOverHop(origin.context, '/v1/notes', { method: 'POST', body, headers });
    expect([first.outcome, second.status, second.text]).toEqual(['created', 201, first.text]);
    expect((await origin.ask('create', notes, { body: { id: 'other', n: 1 }, idempotencyKey })).outcome).toBe('idempotency_mismatch');
    expect(await origin.stored(notes, 'other')).toBeUndefined();
  });

  test('past its deadline does nothing', async () => {
    expect((await origin.ask('create', notes, { body: { id: 'late', n: 1 }, msLeft: 0 })).outcome).toBe('deadline_exceeded');
    expect(await origin.stored(notes, 'late')).toBeUndefined();
  });
});

const asking = (given: Partial<Asking<typeof documents.replace>> = {}): Asking<typeof documents.replace> => ({
  operation: documents.replace,
  resource: drafts,
  id: 'a',
  principal: ada,
  input: { query: '' },
  header: () => null,
  body: async () => ({ text: '{"n":1}', contentType: null }),
  deadline: Number.POSITIVE_INFINITY, atLeast: undefined, nonce: undefined, requestId: 'req_1', traceId: undefined,
  tokenKey: mustKeyRing(testKeys)[0], ...given,
});
const reasonOf = (given: Parameters<typeof asking>[0]): Promise<unknown> =>
  toCall(asking(given), 0).then(
    () => 'made',
    (thrown: { readonly reason: string }) => thrown.reason,
  );

describe('what is asked', () => {
  test('is refused in one order, and its body is not read before all else holds', async () => {
    let read = 0;
    const wrong = {
      body: async () => (read++, { text: '{', contentType: null }),
      input: { query: '?nope=1' },
      header: () => 'no list of tags',
      principal: anonymous,
    } as const;
    expect(await reasonOf(wrong)).toBe('token_missing');
    expect(await reasonOf({ ...wrong, principal: ada })).toBe('header_invalid');
    expect(await reasonOf({ ...wrong, principal: ada, header: () => null })).toBe('precondition_required');
    const conditions = (name: string) => (name === 'if-match' ? '"x"' : name === 'idempotency-key' ? '' : null);
    expect(await reasonOf({ ...wrong, principal: ada, header: conditions })).toBe('query_invalid');
    expect(read).toBe(0);
    expect(await reasonOf({ ...wrong, principal: ada, header: conditions, input: { query: '' } })).toBe('body_malformed');
    expect(await reasonOf({ header: conditions, body: async () => ({ text: '{"n":"x"}', contentType: null }) })).toBe('document_invalid');
    expect(await reasonOf({ header: conditions })).toBe('header_invalid');
  });

  test('has the time that its caller gives it, and no more than its operation takes', async () => {
    const header = (name: string) => (name === 'if-match' ? '"x"' : null);
    expect((await toCall(asking({ header, deadline: 1_500 }), 1_000)).deadline).toBe(1_500);
    expect((await toCall(asking({ header }), 1_000)).deadline).toBe(1_000 + documents.replace.msMax);
  });
});

test('the compiler asks for a handler for each row, of what its row takes and with what it gets', () => {
  const { list, get, remove } = documents;
  type Reads = { list: typeof list; get: typeof get };
  const answer = async (): Promise<Answer> => ({ outcome: 'found' });
  const state = async (access: ReadAccess) => access.represent([], { readAt: { epoch: '', order: '' } });
  executor<Reads>({ list: state, get: (access, call) => (call.input satisfies DocumentQuery | undefined, access.get(call.input)) });
  // @ts-expect-error a row without its handler
  executor<{ list: typeof list; get: typeof get }>({ list: state });
  // @ts-expect-error a handler of no row
  executor<{ list: typeof list }>({ list: state, get: state });
  // @ts-expect-error a handler of another row's input
  executor<{ get: typeof get }>({ get: (access, _call: Call<typeof list>) => state(access) });
  // @ts-expect-error a state that is answered past the conditions of its call
  executor<{ get: typeof get }>({ get: answer });
  // @ts-expect-error a handler that wants the store
  executor<{ remove: typeof remove }>({ remove: (_context: OriginContext) => answer() });
  // @ts-expect-error a read that wants to write
  executor<{ get: typeof get }>({ get: (access: WriteAccess) => state(access) });
  executor<{ remove: typeof remove }>({ remove: (access) => access.remove() });
});
