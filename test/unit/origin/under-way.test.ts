/** Requests under way in one process, and in two on one database: never more of one caller than their plan has, and no slot is lost. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { toPipeline } from '../../../edge/pipeline.ts';
import { toArrival } from '../../../edge/request/arrive.ts';
import { toOrigin } from '../../../origin/one-process/ask.ts';
import { openHost } from '../../../origin/one-process/host.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { plans } from '../../../shared/limits/plans.ts';
import { versions } from '../../../shared/resources/versions.ts';
import { codeOf } from '../../support/world.ts';
import { eventually } from '../../support/eventually.ts';
import { OpenedOrigin } from '../../support/opened-origin.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { engines } from '../../support/whole-world.ts';

/** A busy machine's counter may be late: what nobody can count is refused here, so that it is never one too many. */
const notes = resource({
  name: 'notes', schema: z.object({ text: z.string() }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
  limits: { unavailable: { read: 'refuse' } },
});
const served = contract(versions, notes);
const id = '01890a5d-ac96-774b-bcce-b302099a8057';

/** The origin is asked by several edges, and answers while `hold` is none. */
class Crowd {
  running = 0;
  runningMost = 0;
  hold: Promise<unknown> | undefined;
  readonly #origin: OpenedOrigin;
  readonly #file = new Database(':memory:');
  readonly #max: number;

  constructor(origin: OpenedOrigin, max: number) {
    this.#origin = origin;
    this.#max = max;
  }

  /** An edge of a process of its own. */
  edge(): (path: string, init?: RequestInit) => Promise<Response> {
    const none = 'https://none.example.invalid';
    const { context } = this.#origin;
    const { host } = openHost({ file: this.#file, shared: context.store.shared }, 1e9, {
      variables: {
        TOMBOLO_ENV: 'development', TOMBOLO_KEYS: testKeys, TOMBOLO_ORIGIN_URL: none, TOMBOLO_ISSUER: none, TOMBOLO_AUDIENCE: 'api',
        TOMBOLO_JWKS_URL: none,
      },
      toOrigin: () => this.#held(toOrigin(context, () => undefined)),
      addressOf: () => '192.0.2.1',
      asset: async () => new Response(),
    });
    const few = { windows: [{ limit: 10_000, seconds: 60 }], concurrent: this.#max };
    const offered = plans({ anonymous: 'few', signedIn: 'few', plans: { few } });
    const answer = toPipeline(host, { contract: served, plans: offered });
    return async (path, init) =>
      answer(toArrival(new Request(`http://api.test${path}`, init), {}, (work) => void work.catch(() => undefined)));
  }

  #held(origin: ReturnType<typeof toOrigin>): ReturnType<typeof toOrigin> {
    return {
      readiness: () => origin.readiness(), load: () => origin.load(),
      ask: async (question) => {
        this.runningMost = Math.max(this.runningMost, ++this.running);
        try {
          await (this.hold ?? Bun.sleep(Math.random() * 4));
          return await origin.ask(question);
        } finally {
          this.running--;
        }
      },
    };
  }
}

/** Lists that differ, so that none waits for another's answer. */
const list = (index: number) => `/v2/notes?limit=${1 + (index % 90)}`;

test.each(engines)('on %s: exactly as many at once as the plan has, from however many edges', async (engine) => {
  const max = 3;
  await using origin = await OpenedOrigin.on(engine, served);
  const crowd = new Crowd(origin, max);
  // Processes share their counters where they share a database: on SQLite there is one.
  const edges = engine === 'mongodb' ? [crowd.edge(), crowd.edge()] : [crowd.edge()];
  const ask = async (index: number, path = list(index)) => edges[index % edges.length]?.(path) ?? new Response();
  const held = Promise.withResolvers<void>();
  crowd.hold = held.promise;
  const passing: Promise<Response>[] = [];
  let answered = 0;
  for (let index = 0; crowd.running < max; index++) {
    passing.push(ask(index).finally(() => answered++));
    await Bun.sleep(2);
  }
  let tooMany = 0;
  const refused = await eventually('a refusal for want of a slot', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)));
    tooMany += answers.filter(({ status }) => status === 200).length;
    return answers.find(({ status }) => status === 429);
  });
  expect([tooMany, crowd.running]).toEqual([0, max]);
  const told = ['ratelimit-policy', 'ratelimit', 'retry-after'].map((name) => refused.headers.get(name));
  expect(told.slice(0, 2)).toEqual(['"minute";q=10000;w=60, "concurrent";q=3;qu="concurrent-requests"', '"concurrent";r=0']);
  expect([await codeOf(refused), Number(told[2]) >= 1]).toEqual(['concurrency_exceeded', true]);
  // Whoever asked and holds no slot is answered before one is free.
  await eventually('the others are refused', async () => answered === passing.length - max);
  held.resolve();
  crowd.hold = undefined;
  expect((await Promise.all(passing)).filter(({ status }) => status === 200)).toHaveLength(max);
  // Everybody goes on until enough has been let through, and comes back after a refusal.
  let passed = 0;
  await Promise.all(Array.from({ length: 12 }, async (_, client) => {
    while (passed < 100) if ((await ask(client, list(passed))).status === 200) passed++;
    else await Bun.sleep(2);
  }));
  expect(crowd.runningMost).toBe(max);
  // What is refused behind the limit gives its slot back too.
  for (let left = 2 * max; left > 0;) if ((await ask(left, '/v2/notes?nope=1')).status === 400) left--;
  await eventually('room', async () => (await ask(0)).status === 200);
});

test('an export is under way until its last byte is read, or nobody reads on', async () => {
  await using origin = await OpenedOrigin.on('sqlite', served);
  await origin.put(notes, id, { text: 'a' });
  const ask = new Crowd(origin, 2).edge();
  const hasRoom = (of: string) => eventually(of, async () => (await ask('/v2/notes')).status === 200);
  const [one, other] = [await ask('/v2/notes/export'), await ask('/v2/notes/export')];
  expect([one.status, other.status, await codeOf(await ask('/v2/notes'))]).toEqual([200, 200, 'concurrency_exceeded']);
  expect(await one.text()).toContain(id);
  await hasRoom('room after the last byte');
  const third = await ask('/v2/notes/export');
  expect([third.status, (await ask('/v2/notes')).status]).toEqual([200, 429]);
  await other.body?.cancel();
  await third.body?.cancel();
  await hasRoom('room after nobody reads on');
});
