/** Hooks before a write: what they derive is stored by every way of writing, what they refuse is not, and none runs beside a write. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { beforeWrite, type Derived, mustBeforeWrites } from '../../../origin/documents/before-write.ts';
import { executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, role, signedIn } from '../../../shared/contract/rules.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const posts = resource({
  name: 'posts', id: { kind: 'string', format: z.string().regex(/^p-/) },
  schema: z.object({
    title: z.string(), slug: z.string().max(20).optional(), by: z.string().optional(),
    at: z.string().optional(),
  }),
  rules: { read: anyone, write: anyone }, fieldRules: { by: { write: role('clerk') } }, shapes: { all: {} },
});
const bills = resource({
  name: 'bills', id: { kind: 'string', format: z.string().regex(/^b-/) },
  schema: z.object({
    lines: z.array(z.object({ cents: z.int() })), total: z.int().default(0), size: z.enum(['small', 'large']).optional(),
  }),
  rules: { read: anyone, create: anyone, update: equals('size', 'small'), remove: anyone }, shapes: { all: {} },
});

let runs = 0;
const slugOf = beforeWrite(posts, ({ before, next, principal, now }) => {
  runs++;
  const { title = '' } = next;
  if (title === 'refused') throw new Fault('document_conflict', { detail: 'no post is called that' });
  if (title === 'mistaken') throw new TypeError('a mistake of the hook');
  if (title === 'late') return Promise.reject(new Error('late')) as unknown as Derived<typeof posts>;
  const made = before === undefined ? { by: principal.subject ?? 'nobody', at: new Date(now).toISOString() } : {};
  return { slug: title === 'bare' ? null : title.toLowerCase().replaceAll(' ', '-'), ...made };
});
const totalOf = beforeWrite(bills, ({ next }) => {
  const total = (next.lines ?? []).reduce((sum, { cents }) => sum + cents, 0);
  return { ...next, total, size: total < 100 ? 'small' as const : 'large' as const };
});

const effect = { of: posts, method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.' } as const;
const rows = endpointModule(
  endpoint({
    ...effect, name: 'both', at: '/both',
    input: z.object({ title: z.string() }), output: z.object({ slugs: z.array(z.string()) }),
  }),
).operations;
const carry = executor<typeof rows>({
  both: (call) => {
    const { title } = call.input;
    const changes = [call.create(posts, { id: 'p-own', title }), call.asSystem.create(posts, { id: 'p-system', title })] as const;
    return call.write(changes, (left) => ({ slugs: left.map(({ slug = '' }) => slug) }));
  },
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(posts, bills), { hooks: [slugOf, totalOf] })));
  afterAll(() => origin[Symbol.asyncDispose]());

  test('a slug is made of the title by create, PUT, PATCH and import alike', async () => {
    const slug = async (id: string) => (await origin.stored(posts, id))?.['slug'];
    const created = await origin.ask('create', posts, { body: { id: 'p-1', title: 'One Two', slug: 'of-the-caller' } });
    expect([created.outcome, created.json['slug'], created.json['by']]).toEqual(['created', 'one-two', 'ada']);
    await origin.ask('replace', posts, { id: 'p-2', body: { title: 'Put Here' } });
    expect(await slug('p-2')).toBe('put-here');
    const patched = await origin.ask('patch', posts, { id: 'p-1', body: { title: 'Three' } });
    expect(patched.json).toMatchObject({ slug: 'three', by: 'ada', rev: 2 });
    const body = '{"id":"p-1","title":"Row A"}\n{"id":"p-3","title":"Row B"}\n';
    await origin.ask('import', posts, { query: '?onDuplicate=merge', body });
    expect([await slug('p-1'), await slug('p-3')]).toEqual(['row-a', 'row-b']);
    await origin.ask('patch', posts, { id: 'p-3', body: { title: 'bare' } });
    expect(await origin.stored(posts, 'p-3')).not.toHaveProperty('slug');
  });

  test('an endpoint writes by them too, as its caller and as the system', async () => {
    const both = await origin.askBy(rows.both, carry, posts, { body: { title: 'Of Both' } });
    expect(both.json).toEqual({ slugs: ['of-both', 'of-both'] });
    expect((await origin.stored(posts, 'p-system'))?.['slug']).toBe('of-both');
  });

  test('a Fault refuses, and any other throw, a promise or an invalid document is a 500: nothing is written', async () => {
    const titles = ['refused', 'mistaken', 'late', 'longer than a slug may be'];
    await origin.put(posts, 'p-old', { title: 'old', rev: 1 });
    const patched = [];
    for (const title of titles) patched.push((await origin.ask('patch', posts, { id: 'p-old', body: { title } })).outcome);
    expect(patched).toEqual(['document_conflict', 'unknown', 'unknown', 'unknown']);
    expect(await origin.stored(posts, 'p-old')).toMatchObject({ title: 'old', rev: 1 });
    expect((await origin.ask('create', posts, { body: { id: 'p-new', title: 'refused' } })).outcome).toBe('document_conflict');
    const body = titles.map((title, index) => JSON.stringify({ id: `p-r${index}`, title })).join('\n');
    const { text } = await origin.ask('import', posts, { body: `${body}\n{"id":"p-good","title":"good"}\n` });
    expect(text).toContain('"imported":1');
    expect(text).toContain('"rejected":4');
    expect([await origin.stored(posts, 'p-new'), await origin.stored(posts, 'p-r0'), await origin.stored(posts, 'p-r1')]).toEqual(
      [undefined, undefined, undefined],
    );
  });

  test('what the hook derives again makes no revision, and it runs once a write', async () => {
    await origin.ask('create', bills, { body: { id: 'b-1', lines: [{ cents: 10 }, { cents: 5 }] } });
    const same = await origin.ask('replace', bills, { id: 'b-1', body: { lines: [{ cents: 10 }, { cents: 5 }] } });
    expect(same.json).toMatchObject({ total: 15, size: 'small', rev: 1 });
    await origin.put(posts, 'p-once', { title: 'once', slug: 'once', rev: 1 });
    const before = runs;
    await origin.ask('patch', posts, { id: 'p-once', body: { title: 'Twice' } });
    expect(runs - before).toBe(1);
  });

  test('the row rule holds of what is derived, the field rules of what was sent', async () => {
    await origin.put(bills, 'b-2', { lines: [], total: 0, size: 'small', rev: 1 });
    const large = { lines: [{ cents: 200 }], size: 'small' };
    expect((await origin.ask('patch', bills, { id: 'b-2', body: large })).outcome).toBe('forbidden');
    expect((await origin.stored(bills, 'b-2'))?.['total']).toBe(0);
    expect((await origin.ask('create', posts, { body: { id: 'p-by', title: 'x', by: 'ada' } })).outcome).toBe('forbidden');
  });

  test('conditions and keys hold as without hooks', async () => {
    const { etag } = await origin.ask('create', posts, { body: { id: 'p-tag', title: 'Tag' } });
    const body = { title: 'Next' };
    const put = () => origin.ask('patch', posts, { id: 'p-tag', body, ifMatch: etag, idempotencyKey: 'one' });
    const first = await put();
    const before = runs;
    expect([first.outcome, (await put()).text, runs - before]).toEqual(['written', first.text, 0]);
    const late = await origin.ask('patch', posts, { id: 'p-tag', body: { title: 'Third' }, ifMatch: etag });
    expect(late.outcome).toBe('precondition_failed');
    expect(runs).toBe(before);
  });
});

test('a hook of a resource that is not served, or a second one, stops the start', () => {
  expect(() => mustBeforeWrites([totalOf], contract(posts))).toThrow('origin/hooks/all.ts: resource "bills": is not served');
  expect(() => mustBeforeWrites([slugOf, slugOf], contract(posts))).toThrow('more than one hook');
});

test('the compiler types a hook by its schema, and takes no promise', () => {
  beforeWrite(posts, ({ next }) => next);
  // @ts-expect-error a hook that waits
  beforeWrite(posts, async ({ next }) => ({ slug: next.title ?? '' }));
  // @ts-expect-error a field that the schema does not name
  beforeWrite(posts, () => ({ colour: 'x' }));
  // @ts-expect-error a value of another type
  beforeWrite(posts, () => ({ slug: 1 }));
  // @ts-expect-error what Tombolo keeps
  beforeWrite(posts, () => ({ rev: 7 }));
  // @ts-expect-error a field of another resource
  beforeWrite(posts, ({ next }) => ({ slug: next.lines }));
  // @ts-expect-error a hook that wants the store
  beforeWrite(posts, ({ store }) => (store, {}));
});
