/** What each keeper of generations, limits and tickets must do, asked as origins and clients ask: an edge in workerd before it. */
import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { signPosition } from '../../../origin/tokens.ts';
import { toDeclared } from '../../../shared/hop/purge-report.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { ScriptedStream, StreamReader } from '../../support/event-source.ts';
import { eventually } from '../../support/eventually.ts';
import type { testThat } from '../../support/needs.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { codeOf, film, World } from '../../support/world.ts';

/** Plans small enough to be used up. */
export const workerModule = 'test/workerd/workers/limits.worker.ts';

export interface KeeperPlace {
  readonly name: string;
  /** What the edge is set to, beside the rest. */
  variables(): Readonly<Record<string, string>>;
  readonly test: ReturnType<typeof testThat>;
  /** Whether it is there to be tested. */
  readonly isMet: boolean;
}

const revalidated = 'tombolo; fwd=stale; fwd-status=304; stored';

/** Whose limits are kept to the request. */
export const exactPlans = [['ten', 10], ['twenty', 20]] as const;

/** Requests that were counted and passed, and those that passed because nobody could count them in time. */
function toCounted(answers: readonly Response[]): { readonly counted: number; readonly alone: number } {
  const alone = answers.filter(({ headers }) => headers.has('tombolo-limits')).length;
  return { alone, counted: answers.filter(({ status, headers }) => status === 200 && !headers.has('tombolo-limits')).length };
}

/** Never more than the limit, and exactly it where each was counted: a busy machine may be late for some, so once more then. */
export async function expectExact(what: string, limit: number, trial: () => Promise<readonly Response[]>): Promise<void> {
  const counted = await eventually(`${what}a trial in which each was counted`, async () => {
    const { counted: some, alone } = toCounted(await trial());
    return (alone === 0 || some > limit) && some;
  });
  expect(what + counted).toBe(what + limit);
}

export function keeperSuite({ name, variables, test, isMet }: KeeperPlace): void {
  describe(name, () => {
    let world: World;
    beforeAll(async () => {
      if (!isMet) return;
      world = await World.start({ workerModule, silent: true, variables: { TOMBOLO_ANONYMOUS_PLAN: '', ...variables() } });
    });
    afterAll(() => world?.close());

    let callers = 0;
    let addresses = 0;
    const caller = async (plan = 'leased') =>
      ({ authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub: `usr_${++callers}`, tenant: 'north', plan } })}` });
    const ask = (headers: Readonly<Record<string, string>>, path = '/v2/notes', method = 'GET') => world.get(path, headers, method);
    const together = (headers: Readonly<Record<string, string>>, times: number) =>
      Promise.all(Array.from({ length: times }, () => ask(headers)));
    const passed = async (...asking: Parameters<typeof together>) => toCounted(await together(...asking)).counted;

    test('joins a report to what it knows, or refuses it whole', async () => {
      const { feed } = world;
      const send = (...given: Parameters<typeof feed.idle>) => feed.send(feed.idle(...given));
      const unknown = await send();
      expect(unknown).toEqual({ accepted: false, epoch: null, through: null, now: unknown.now, knowsContract: false });
      expect(Math.abs(unknown.now - Date.now())).toBeLessThan(10_000);
      world.at = 5;
      const [at5, at8] = [world.order(5), world.order(8)];
      expect(await send({ from: null })).toMatchObject({ accepted: true, epoch: world.epoch, through: at5 });
      expect(await send({ from: world.order(6), through: world.order(7) })).toMatchObject({ accepted: false, through: at5 });
      expect(await send({ from: world.order(3), through: at8 })).toMatchObject({ accepted: true, through: at8 });
      expect(await send({ from: world.order(3), through: world.order(4) })).toMatchObject({ accepted: true, through: at8 });
      const other = 'b'.repeat(16);
      expect(await send({ epoch: other, from: at8, through: at8 })).toMatchObject({ accepted: false, epoch: world.epoch });
      expect(await send({ epoch: other, from: null, through: world.order(2) })).toMatchObject({ accepted: true, epoch: other });
      expect(await send({ from: null, through: world.order(9) })).toMatchObject({ accepted: false, epoch: other, through: world.order(2) });
      world.epoch = other;
    });

    test('tells what was raised, and that nothing is known while no origin speaks', async () => {
      const reader = await caller();
      const path = '/v2/films/a';
      const statusOf = async () => (await ask(reader, path)).headers.get('cache-status');
      await world.feed.begin();
      await world.change('a', film('A'));
      await statusOf();
      expect(await statusOf()).toBe('tombolo; hit');
      await world.change('a', film('B'));
      expect(await (await ask(reader, path)).json()).toMatchObject({ title: 'B' });
      await world.change('other', film('Other'));
      expect(await statusOf()).toBe('tombolo; hit');
      // An hour ago this was complete, as far as the report says.
      world.at++;
      await world.feed.send(world.feed.idle({ from: null }));
      await world.feed.send(world.feed.idle({ asOf: world.feed.now() - 3_600_000 }));
      await world.pastMemo();
      for (let round = 0; round < 2; round++) expect(await statusOf()).not.toBe('tombolo; hit');
      expect(await statusOf()).toBe(revalidated);
    });

    test('takes a report once, and says whether it knows what its origin declares', async () => {
      const { edge, feed, origin } = world;
      const nonce = 'n'.repeat(22);
      expect((await fetch(origin.toReport(edge.url, feed.idle(), { nonce }))).status).toBe(200);
      const again = await fetch(origin.toReport(edge.url, feed.idle(), { nonce }));
      expect([again.status, await codeOf(again)]).toEqual([401, 'hop_replayed']);
      const { resources } = toDeclared(world.contract);
      const contract = 'c'.repeat(16);
      expect(await feed.send(feed.idle({ contract }))).toMatchObject({ knowsContract: false });
      expect(await feed.send(feed.idle({ contract, resources }))).toMatchObject({ knowsContract: true });
      for (let each = 0; each < 8; each++) await feed.send(feed.idle({ contract: each.toString(16).padStart(16, '0'), resources }));
      expect(await feed.send(feed.idle({ contract }))).toMatchObject({ knowsContract: false });
    });

    test('lets as many pass as each limit says, however many ask at once, and tells what was used', async () => {
      world.origin.script = () => ({ status: 200, body: '{"data":[]}', headers: { 'content-type': 'application/json' } });
      for (const [plan, limit] of exactPlans) {
        await expectExact(`${plan}: `, limit, async () => together(await caller(plan), 100));
      }
      const leasing = await caller('hundred');
      let leased = 0;
      // What lies in leases that were not used up is given back when they end.
      await eventually('nearly all of a leased limit', async () => (leased += await passed(leasing, 60)) >= 95, { everyMs: 200 });
      expect(leased).toBeLessThanOrEqual(100);
      const headers = await caller('twenty');
      await passed(headers, 3);
      const usage = (await (await ask(headers, '/v2/usage')).json()) as { days: unknown[]; month: { used: number } };
      expect(usage).toMatchObject({ plan: 'twenty', month: { used: usage.month.used }, days: [{ reads: usage.month.used }] });
      expect(usage.month.used).toBeWithin(3, 5);
    });

    test('opens a ticket once, whoever is faster, and again for whoever has heard its stream', async () => {
      let stream = new ScriptedStream();
      world.origin.script = () => {
        stream = new ScriptedStream();
        stream.send('id: p0\n\n');
        return { body: stream.body, headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } };
      };
      const issued = await ask(await caller(), '/v2/live/tickets', 'POST');
      expect(issued.status).toBe(201);
      const { ticket } = (await issued.json()) as { ticket: string };
      // From an address of its own each, since refusals are counted by address.
      const open = (headers: Readonly<Record<string, string>> = {}, opened = ticket) => world.get(
        `/v2/notes/changes?ticket=${opened}`,
        { accept: 'text/event-stream', 'cf-connecting-ip': `2001:db8:${(++addresses).toString(16)}::1`, ...headers },
      );
      const answers = await Promise.all(Array.from({ length: 8 }, () => open()));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, ...new Array<number>(7).fill(401)]);
      await Promise.all(answers.map((answer) => (answer.status === 200 ? new StreamReader(answer).leave() : answer.text())));
      const named = world.lastAsked().headers.get('tombolo-stream') ?? '';
      expect(world.principalAsked()).toMatchObject({ subject: `usr_${callers}`, claims: { tenant: 'north' } });
      expect((await open()).status).toBe(401);
      const heard = signPosition({ epoch: 'a'.repeat(16), order: '00000001' }, mustKeyRing(testKeys)[0], named);
      for (let turn = 0; turn < 2; turn++) {
        const again = await open({ 'last-event-id': heard });
        expect(again.status).toBe(200);
        await new StreamReader(again).leave();
      }
      expect((await open({ 'last-event-id': heard }, `${ticket.slice(0, -2)}AA`)).status).toBe(401);
    });
  });
}
