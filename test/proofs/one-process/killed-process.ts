/**
 * One process that is killed while it is asked: by what clients were answered, no limit is passed and nothing counted is
 * forgotten by its month, no ticket is good twice or lost, no effect is done twice, and nothing acknowledged is missing from the
 * first answers after its start.
 */
import { eventually } from '../../support/eventually.ts';
import { createFilm, patchFilm, toFilm } from '../../support/film.ts';
import { Random } from '../../support/random.ts';
import { type Engine, startWorld, type World } from '../../support/whole-world.ts';

export interface KilledOptions {
  readonly engine: Engine;
  readonly seed: number;
  readonly rounds: number;
}

export interface KilledRun {
  readonly figures: {
    readonly engine: Engine; readonly rounds: number; readonly granted: number; readonly refused: number; readonly cutOff: number;
  };
  readonly violations: readonly string[];
}

/** The plan `anonymous`, which a token can name: counted by subject. */
const limit = { most: 300, ms: 10_000 };
/** Requests before each kill and as many after it: more than the plan allows, however slow the machine. */
const spentAtOnce = 120;
const killedAfterMsMax = 150;
/** A minute, unless a deployment is set otherwise, and some. */
const heldMsMax = 90_000;

export async function runKilledProcess({ engine, seed, rounds }: KilledOptions): Promise<KilledRun> {
  const world = await startWorld({ engine, stack: 'one process' });
  try {
    const random = new Random(seed);
    const spender = new Spender(world, await world.token({ subject: 'counted', plan: 'anonymous' }));
    // A subject of its own: what it asks is counted, whatever its plan, and `patchFilm` asks as a member.
    const clients = { editor: await world.token({ subject: 'patient', plan: 'bench' }), path: (await createFilm(world)).path };
    const violations: string[] = [];
    for (let round = 0; round < rounds; round++) {
      const found = await runRound(world, { ...clients, spender, round, killedAfterMs: random.below(killedAfterMsMax) });
      violations.push(...found.map((what) => `round ${round}: ${what}`));
    }
    if (spender.mostInWindow > limit.most) violations.push(`${spender.mostInWindow} granted in a window of ${limit.most}`);
    const { granted, refused, cutOff } = spender;
    const { month } = (await world.request('/v2/usage', { token: spender.token })).json<{ month: { used: number } }>();
    if (month.used < granted) violations.push(`${granted} granted, and ${month.used} counted in the month`);
    return { figures: { engine, rounds, granted, refused, cutOff }, violations };
  } finally {
    await world.close();
  }
}

interface Round {
  readonly spender: Spender;
  readonly editor: string;
  readonly path: string;
  readonly round: number;
  readonly killedAfterMs: number;
}

async function runRound(world: World, { spender, editor, path, round, killedAfterMs }: Round): Promise<readonly string[]> {
  const [used, unused] = [await issue(world, editor), await issue(world, editor)];
  const opened = await open(world, used);
  const title = `Round ${round}`;
  await patchFilm(world, path, { title });
  const sent = {
    token: editor, headers: { 'idempotency-key': crypto.randomUUID() }, json: toFilm({ genres: [title] }),
  };
  const first = world.request('/v2/films', sent).catch(() => undefined);
  const spend = () => Promise.all(Array.from({ length: spentAtOnce }, () => spender.spend(path)));
  const spending = spend();
  await Bun.sleep(killedAfterMs);
  await world.origin.kill9();
  await world.origin.start();
  const read = await world.request(path, { token: editor });
  // Now, since the wait below may be longer than a ticket lives.
  const reopened = [await open(world, used), await open(world, unused)];
  // MongoDB keeps the transaction of a killed process for up to its `transactionLifetimeLimitSeconds`, and the key with it.
  const again = await eventually('an answer under the same key', async () => {
    const answer = await world.request('/v2/films', sent);
    return answer.status !== 409 && answer.status !== 503 && answer;
  }, { msMax: heldMsMax });
  const firstAnswer = await first;
  const written = await world.request(`/v2/films?genres=${encodeURIComponent(title)}`, {
    token: editor, headers: { 'tombolo-position': again.position },
  });
  await Promise.all([spending, spend()]);
  return [
    ...wrong('a ticket is opened', opened, 200),
    ...wrong('it is opened again', reopened[0], 401),
    ...wrong('an unused one is opened', reopened[1], 200),
    ...wrong('the first read after the start', read.film.title, title),
    ...wrong('the write is answered', again.status, 201),
    ...wrong('the list is answered', written.status, 200),
    ...(written.status === 200 ? wrong('effects of one key', written.page.data.length, 1) : []),
    ...(firstAnswer === undefined ? [] : wrong('the same key answers', again.film.id, firstAnswer.film.id)),
  ];
}

function wrong(what: string, seen: unknown, wanted: unknown): readonly string[] {
  return seen === wanted ? [] : [`${what}: ${String(seen)}, not ${String(wanted)}`];
}

async function issue(world: World, token: string): Promise<string> {
  return (await world.request('/v2/live/tickets', { method: 'POST', token })).json<{ ticket: string }>().ticket;
}

/** The status of the first opening of a stream by a ticket. */
async function open(world: World, ticket: string): Promise<number> {
  const response = await fetch(`${world.edge.url}/v2/reviews/changes?ticket=${ticket}`, { headers: { accept: 'text/event-stream' } });
  await response.body?.cancel();
  return response.status;
}

class Spender {
  readonly token: string;
  readonly #world: World;
  readonly #granted: { readonly askedAt: number; readonly ackedAt: number }[] = [];
  refused = 0;
  cutOff = 0;

  constructor(world: World, token: string) {
    this.#world = world;
    this.token = token;
  }

  get granted(): number {
    return this.#granted.length;
  }

  async spend(path: string): Promise<void> {
    const askedAt = performance.now();
    const answer = await this.#world.request(path, { token: this.token }).catch(() => undefined);
    if (answer === undefined) this.cutOff++;
    else if (answer.status === 429) this.refused++;
    else this.#granted.push({ askedAt, ackedAt: performance.now() });
  }

  /** Of what was asked and answered within one: each was counted between. */
  get mostInWindow(): number {
    const within = (from: number) => this.#granted.filter(({ askedAt, ackedAt }) => askedAt >= from && ackedAt < from + limit.ms).length;
    return Math.max(0, ...this.#granted.map(({ askedAt }) => within(askedAt)));
  }
}
