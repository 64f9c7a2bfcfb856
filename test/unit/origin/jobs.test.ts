/** Jobs at the origin: where they are enqueued, how they run, fail, end and stop, and who sees and ends them. */
import { afterEach, describe, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { afterCommit } from '../../../origin/after-commit/after-commit.ts';
import type { Own } from '../../../origin/own.ts';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { execute } from '../../../origin/execute.ts';
import { enqueuing, type Enqueuing } from '../../../origin/job-queue/enqueue.ts';
import type { JobCall } from '../../../origin/job-queue/job-call.ts';
import { type Job, job, type JobDeclaration } from '../../../origin/job-queue/job.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { jobLimits } from '../../../shared/jobs/limits.ts';
import { jobOperations as rows } from '../../../shared/jobs/operations.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone },
  schema: z.object({ text: z.string(), told: z.int().optional() }),
});
const served = contract(notes);

const ada: Principal = { subject: 'ada', roles: [], claims: { tenant: 'odeon' } };
const bob: Principal = { subject: 'bob', roles: [], claims: { tenant: 'odeon' } };
const olga: Principal = { subject: 'olga', roles: ['admin'], claims: { tenant: 'odeon' } };
const otherAdmin: Principal = { subject: 'oda', roles: ['admin'], claims: { tenant: 'rex' } };
const root: Principal = { subject: 'root', roles: ['admin'], claims: {} };

const payload = z.object({ note: z.string() });
type Handler = (call: JobCall<z.output<typeof payload>>) => Promise<Json | undefined>;
type Given = Partial<Omit<JobDeclaration<string, typeof payload>, 'handler'>>;
const quick = { firstMs: 1, maxMs: 2 };

const telling = (handler: Handler, given: Given = {}) => job({ name: 'tell', payload, backoff: quick, ...given, handler });

describe.each(engines)('jobs on %s', (engine) => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  });

  const opening = async (own: Own) => {
    const origin = await DirectOrigin.on(engine, served, own);
    opened.push(origin);
    return origin;
  };
  const ask = (origin: DirectOrigin, name: keyof typeof rows, asking: DirectAsking) => origin.askBy(rows[name], execute, jobs, asking);
  const enqueue = async (origin: DirectOrigin, of: Job<typeof payload>, note = 'n', how: Enqueuing = {}, principal = ada) => {
    const mutation = enqueuing(of, { note }, how, { principal, nowMs: Date.now() });
    await origin.context.store.write([mutation], { deadline: Date.now() + 10_000 });
    return mutation.id;
  };
  const stateOf = async (origin: DirectOrigin, id: string) => (await origin.stored(jobs, id))?.['state'];
  const until = (origin: DirectOrigin, id: string, state: string) =>
    eventually(`job ${id} is ${state}`, async () => (await stateOf(origin, id)) === state);

  test('run with their payload, and their owner alone, and admins of the tenant, see the result', async () => {
    const tell = telling(async (call) => ({ said: `${call.payload.note} ${call.attempt}` }));
    const origin = await opening({ jobs: [tell] });
    const id = await enqueue(origin, tell, 'hello');
    await until(origin, id, 'done');
    const { json } = await ask(origin, 'getJob', { id, principal: ada });
    expect(json).toEqual({
      id, name: 'tell', queue: 'default', state: 'done', attempt: 1, result: { said: 'hello 1' },
      createdAt: expect.any(String), endedAt: expect.any(String),
    });
    const sees = await Promise.all([ada, bob, olga, otherAdmin, root].map(async (principal) =>
      (await ask(origin, 'getJob', { id, principal })).outcome));
    expect(sees).toEqual(['found', 'absent', 'found', 'absent', 'found']);
    expect((await ask(origin, 'cancelJob', { id, principal: bob })).outcome).toBe('document_not_found');
    expect((await ask(origin, 'cancelJob', { id, principal: ada })).outcome).toBe('document_conflict');
  });

  test('are enqueued with the write that causes them, and not where it is refused or writes nothing', async () => {
    const told: string[] = [];
    const tell = telling(async (call) => void told.push(call.payload.note));
    const hook = beforeWrite(notes, ({ next, enqueue: cause }) => {
      cause(tell, { note: String(next.text) });
      if (next.text === 'refused') throw new Fault('document_conflict', { detail: 'no' });
      return {};
    });
    const origin = await opening({ jobs: [tell], hooks: [hook] });
    const put = (text: string) => origin.ask('replace', notes, { id: 'a', principal: ada, body: { text } });
    expect((await put('one')).outcome).toBe('created');
    expect((await put('refused')).outcome).toBe('document_conflict');
    expect((await put('one')).outcome).toBe('written');
    expect((await put('two')).outcome).toBe('written');
    await eventually('two were told', () => told.length === 2);
    expect(told.toSorted()).toEqual(['one', 'two']);
    const rowsOfFile = ['three', 'four'].map((text) => JSON.stringify({ id: text, text })).join('\n');
    await origin.ask('import', notes, { principal: ada, body: rowsOfFile });
    await eventually('four were told', () => told.length === 4);
    expect(told.toSorted()).toEqual(['four', 'one', 'three', 'two']);
  });

  test('are enqueued by hooks after a commit, and by jobs for the owner of the one that causes them', async () => {
    const told: string[] = [];
    const second = telling(async (call) => void told.push(call.payload.note), { name: 'second' });
    const first = telling(async (call) => call.atEnd([call.enqueue(second, { note: `${call.payload.note}, then` })]) ?? null);
    const hook = afterCommit({
      name: 'causes', of: notes, resync: () => [],
      handle: ({ id }, call) => [call.enqueue(first, { note: `of the hook ${id}` })],
    });
    const origin = await opening({ jobs: [first, second], afterCommits: [hook] });
    // A new hook is told of what is committed once it runs.
    await eventually('the hook runs', () => origin.context.store.cursor('hook causes'));
    await origin.ask('replace', notes, { id: 'a', principal: ada, body: { text: 'x' } });
    await enqueue(origin, first, 'of ada');
    await eventually('both were told', () => told.length === 2);
    expect(told.toSorted()).toEqual(['of ada, then', 'of the hook a, then']);
    const sort = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];
    const request = { equal: { state: ['done'] }, range: undefined, sort, where: true, after: undefined, limit: 10 } as const;
    const ownersOf = async () => {
      const { value: rows } = await origin.context.store.list(jobs, request, { deadline: Date.now() + 5_000 });
      return rows.map(({ document: { value } }) => `${String(value['name'])} ${String(value['owner'])}`).toSorted();
    };
    await eventually('all are done', async () => (await ownersOf()).length === 4);
    expect(await ownersOf()).toEqual(['second ', 'second ada', 'tell ', 'tell ada']);
  });

  test('cost no question of the database while there are none, and begin at once when one comes', async () => {
    const tell = telling(async () => undefined);
    const origin = await opening({ jobs: [tell] });
    await until(origin, await enqueue(origin, tell), 'done');
    // The last round after the end of the job comes by then; nothing says that it has.
    await Bun.sleep(300);
    const asked = spyOn(origin.context.store, 'lists');
    // What does not happen is waited for.
    await Bun.sleep(700);
    expect(asked.mock.calls).toHaveLength(0);
    asked.mockRestore();
    await until(origin, await enqueue(origin, tell), 'done');
  });

  test('that fail are tried again, and end dead, with what an admin needs and no more for their owner', async () => {
    const attempts: number[] = [];
    const tell = telling(async ({ attempt }) => {
      attempts.push(attempt);
      throw new Error(`secret of the inside ${'x'.repeat(2_000)}`);
    }, { attempts: 3 });
    const origin = await opening({ jobs: [tell] });
    const id = await enqueue(origin, tell, 'poison');
    await until(origin, id, 'dead');
    expect(attempts).toEqual([1, 2, 3]);
    const toOwner = await ask(origin, 'getJob', { id, principal: ada });
    expect(toOwner.json).toMatchObject({ state: 'dead', attempt: 3, error: 'it failed' });
    expect(toOwner.text).not.toContain('secret');
    expect((await ask(origin, 'listJobs', { principal: otherAdmin })).json['data']).toEqual([]);
    for (const principal of [olga, root]) {
      const { json } = await ask(origin, 'listJobs', { principal, query: '?limit=1' });
      const [dead] = json['data'] as readonly JsonObject[];
      expect(dead).toMatchObject({ id, state: 'dead', owner: 'ada', tenant: 'odeon', payload: { note: 'poison' } });
      expect(String(dead?.['error'])).toStartWith('secret of the inside');
      expect(String(dead?.['error']).length).toBe(jobLimits.errorCharactersMax);
    }
    expect((await ask(origin, 'retryJob', { id, principal: otherAdmin })).outcome).toBe('document_not_found');
    expect((await ask(origin, 'retryJob', { id, principal: olga })).json).toMatchObject({ id, state: 'ready', attempt: 0 });
    await eventually('it was tried again', () => attempts.join() === '1,2,3,1,2,3');
    await until(origin, id, 'dead');
  });

  test('are listed dead a page at a time', async () => {
    const tell = telling(() => Promise.reject(new Fault('upstream_failed', { detail: 'the mail server is away' })), { attempts: 1 });
    const origin = await opening({ jobs: [tell] });
    const ids = await Promise.all(['a', 'b', 'c'].map((note) => enqueue(origin, tell, note)));
    for (const id of ids) await until(origin, id, 'dead');
    const found: unknown[] = [];
    for (let next = ''; next !== 'null';) {
      const { json } = await ask(origin, 'listJobs', { principal: olga, query: `?limit=2${next === '' ? '' : `&after=${next}`}` });
      found.push(...(json['data'] as readonly JsonObject[]).map(({ id, error }) => `${String(id)} ${String(error)}`));
      next = String((json['page'] as JsonObject)['next']);
    }
    expect(found.toSorted()).toEqual(ids.map((id) => `${id} the mail server is away`).toSorted());
    expect((await ask(origin, 'listJobs', { principal: olga, query: '?after=x' })).errors).toMatchObject([{ at: 'after', in: 'query' }]);
    for (const name of ['listJobs', 'retryJob'] as const) {
      const told = await ask(origin, name, { id: name === 'retryJob' ? String(ids[0]) : '', principal: ada });
      expect([told.outcome, told.detail]).toEqual(['forbidden', expect.stringContaining('by its id')]);
    }
  });

  test('wait for their moment, come by priority, and one of a dedupe text at a time', async () => {
    const told: string[] = [];
    let open = false;
    const tell = telling(async (call) => {
      await eventually('it may go on', () => open);
      told.push(call.payload.note);
      return undefined;
    }, { queue: { name: 'narrow', concurrency: 1 } });
    const origin = await opening({ jobs: [tell] });
    const first = await enqueue(origin, tell, 'first');
    await until(origin, first, 'running');
    await enqueue(origin, tell, 'plain');
    await enqueue(origin, tell, 'urgent', { priority: 5 });
    const [one, two] = [await enqueue(origin, tell, 'once', { dedupe: 'k' }), await enqueue(origin, tell, 'twice', { dedupe: 'k' })];
    expect(one).toBe(two);
    const runAt = Date.now() + 300;
    const later = await enqueue(origin, tell, 'later', { runAt });
    expect(await stateOf(origin, later)).toBe('delayed');
    open = true;
    await until(origin, later, 'done');
    expect(Date.now()).toBeGreaterThanOrEqual(runAt);
    await eventually('the others are told', () => told.length === 5);
    expect(told.filter((note) => note !== 'later')).toEqual(['first', 'urgent', 'plain', 'once']);
    await enqueue(origin, tell, 'again', { dedupe: 'k' });
    await eventually('another of the text was told', () => told.includes('again'));
  });

  test('write by a fence: once cancelled, an attempt writes nothing more, and its end is not accepted', async () => {
    const refused: unknown[] = [];
    const tell = telling(async (call) => {
      await call.write([call.create(notes, { id: 'before', text: 'x' })]);
      await call.progress(0.5);
      await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      await call.write([call.create(notes, { id: 'after', text: 'x' })]).catch((thrown: unknown) => refused.push(thrown));
      return 'ended';
    });
    const origin = await opening({ jobs: [tell] });
    const id = await enqueue(origin, tell);
    await eventually('progress is told', async () => (await ask(origin, 'getJob', { id, principal: ada })).json['progress'] === 0.5);
    expect((await ask(origin, 'cancelJob', { id, principal: ada })).outcome).toBe('removed');
    expect((await ask(origin, 'cancelJob', { id, principal: ada })).outcome).toBe('removed');
    await eventually('the attempt heard of it', () => refused.length === 1);
    expect([await stateOf(origin, id), (await origin.stored(jobs, id))?.['result']]).toEqual(['cancelled', undefined]);
    expect([await origin.stored(notes, 'before'), await origin.stored(notes, 'after')].map((found) => found !== undefined))
      .toEqual([true, false]);
  });

  test('commit what goes with their end together with it', async () => {
    const tell = telling(async (call) => {
      call.atEnd([call.create(notes, { id: `note-${call.attempt}`, text: 'x' })]);
      if (call.attempt === 1) throw new Error('not yet');
      return undefined;
    });
    const origin = await opening({ jobs: [tell] });
    await until(origin, await enqueue(origin, tell), 'done');
    expect([await origin.stored(notes, 'note-1'), await origin.stored(notes, 'note-2')].map((found) => found !== undefined))
      .toEqual([false, true]);
  });

  test('that take too long, give too much or do not understand their payload have failed', async () => {
    const failing = (name: string, given: Given, handler: Handler) => telling(handler, { attempts: 1, ...given, name });
    const all = [
      failing('late', { timeoutMs: 50 }, () => new Promise<undefined>(() => undefined)),
      failing('large', {}, async () => 'x'.repeat(jobLimits.resultBytesMax)),
    ];
    const origin = await opening({ jobs: all });
    const errors = await Promise.all(all.map(async (each) => {
      const id = await enqueue(origin, each);
      await until(origin, id, 'dead');
      return (await origin.stored(jobs, id))?.['error'];
    }));
    const tooLong = `a result of ${jobLimits.resultBytesMax + 2} bytes; ${jobLimits.resultBytesMax} are the most`;
    expect(errors).toEqual(['took longer than 50 ms', tooLong]);
    expect(() => enqueuing(all[0] as Job<typeof payload>, { note: 5 as never }, {}, { principal: ada, nowMs: 0 })).toThrow('/note');
    const long = { note: 'x'.repeat(jobLimits.payloadBytesMax) };
    expect(() => enqueuing(all[0] as Job<typeof payload>, long, {}, { principal: ada, nowMs: 0 })).toThrow('are the most');
  });

  test('of a process that is lost are taken up after their lease, and of one that stops go back, each attempt counted', async () => {
    const jobTimes = { leaseMs: 400, idleMs: 200 };
    const attempts: number[] = [];
    const tell = telling(async (call) => {
      attempts.push(call.attempt);
      if (call.attempt < 3) await new Promise((resolve) => call.signal.addEventListener('abort', resolve));
      return undefined;
    });
    const origin = await opening({ jobs: [tell], jobTimes });
    const id = await enqueue(origin, tell);
    await eventually('it runs', () => attempts.length === 1);
    // As a process would leave it that was killed: nobody beats for the claim.
    const dueAt = new Date(Date.now() + 100).toISOString();
    const claimed = { resource: jobs, id, decide: (found: { readonly value: JsonObject } | undefined) => {
      const { id: _id, ...rest } = found?.value ?? {};
      return { kind: 'put' as const, document: { ...rest, claim: 'of another', dueAt } };
    } };
    await origin.context.store.write([claimed], { deadline: Date.now() + 10_000 });
    await eventually('it was taken up', () => attempts.length === 2);
    await origin.context.services.stop(Date.now() + 1_100);
    await origin.begin();
    await until(origin, id, 'done');
    expect(attempts).toEqual([1, 2, 3]);
  });
});
