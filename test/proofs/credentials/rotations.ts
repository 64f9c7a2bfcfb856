/**
 * Somebody with a token, somebody with an API key and somebody with a session ask all the time, while edge and origin are killed
 * and started again and keys and refresh tokens change. Who has a good credential may have to wait (503), and is never told that
 * it is none (401); and one that was revoked is, once the bound is over.
 */
import { eventually } from '../../support/eventually.ts';
import type { Person } from '../../support/person.ts';
import { memberIn } from '../../support/person-in-world.ts';
import { Random } from '../../support/random.ts';
import { type Engine, startWorld, type World } from '../../support/whole-world.ts';

export interface RotationsOptions {
  readonly engine: Engine;
  readonly seed: number;
  /** Turns of each kind in which something is killed or stopped. */
  readonly restartsEach: number;
  /** Turns of each kind in which a credential changes. */
  readonly changesEach: number;
}

export interface RotationsRun {
  readonly figures: Readonly<Record<string, number | string>>;
  readonly violations: readonly string[];
}

const home = 'https://api.example.com';
const bounds = { memoMs: 300, feedSilentMs: 400 } as const;
/** Longer than a run of any length. */
const overlapSeconds = 86_400;

interface Key {
  readonly id: string;
  /** The newest text, and the one before, which is good beside it. */
  readonly texts: readonly string[];
}

export async function runRotations({ engine, seed, restartsEach, changesEach }: RotationsOptions): Promise<RotationsRun> {
  await using run = await Rotations.begin(engine);
  const random = new Random(seed);
  const turns = [...timesEach(run.restarts, restartsEach), ...timesEach(run.changes, changesEach)]
    .map((turn) => ({ turn, at: random.below(2 ** 31) })).toSorted((left, right) => left.at - right.at);
  const asking = run.ask();
  for (const { turn } of turns) await turn();
  run.isOver = true;
  await asking;
  return { figures: { engine, turns: turns.length, ...run.counts }, violations: run.violations };
}

type Turn = () => Promise<void>;

function timesEach(turns: Readonly<Record<string, Turn>>, count: number): readonly Turn[] {
  return Object.values(turns).flatMap((turn) => Array.from({ length: count }, () => turn));
}

class Rotations implements AsyncDisposable {
  readonly counts = { answered: 0, waited: 0, revoked: 0 };
  readonly violations: string[] = [];
  isOver = false;
  readonly #world: World;
  readonly #person: Person;
  #token = '';
  #key: Key = { id: '', texts: [] };
  #refreshToken = '';
  #sessionToken = '';

  private constructor(world: World, person: Person) {
    this.#world = world;
    this.#person = person;
  }

  static async begin(engine: Engine): Promise<Rotations> {
    const world = await startWorld({ engine, ...bounds, people: home });
    const { person, session } = await memberIn(world, 'ada@example.com');
    const run = new Rotations(world, person);
    run.#keep(await person.post('/auth/refresh/begin', { token: session }));
    await run.#mint();
    await run.#make();
    return run;
  }

  readonly restarts = {
    'origin killed': async () => {
      await this.#world.origin.kill9();
      await this.#world.origin.start();
      await this.#serves();
    },
    'origin stopped': async () => {
      await this.#world.origin.stop();
      await this.#world.origin.start();
      await this.#serves();
    },
    'edge that comes back before its origin': async () => {
      await this.#world.origin.kill9();
      await this.#world.edge.restart();
      await this.#world.origin.start();
      await this.#serves();
    },
  };

  readonly changes = {
    'key rotated': async () => {
      const { id, texts } = this.#key;
      const answer = await this.#world.request(`/v2/keys/${id}/rotate`, { token: this.#token, json: { overlapSeconds } });
      if (answer.status !== 200 && answer.status !== 201) throw new Error(`a rotation is answered ${answer.status}: ${answer.text}`);
      this.#key = { id, texts: [(JSON.parse(answer.text) as { readonly key: string }).key, ...texts.slice(0, 1)] };
    },
    'key revoked': async () => {
      const { id, texts } = this.#key;
      await this.#make();
      const { status } = await this.#world.request(`/v2/keys/${id}`, { token: this.#token, method: 'DELETE' });
      if (status !== 204) throw new Error(`a revocation is answered ${status}`);
      for (const text of texts) {
        await eventually('the end of a key', async () => (await this.#statusOf(text)) === 401, { msMax: 10_000 });
        this.counts.revoked++;
      }
    },
    'refresh token used': async () => {
      this.#keep(await this.#person.post('/auth/refresh', { refreshToken: this.#refreshToken }));
      await this.#mint();
    },
  };

  /** Until it is over: each credential that is good, in turn. */
  async ask(): Promise<void> {
    while (!this.isOver) {
      const { id, texts } = this.#key;
      const keys = texts.map((text) => ({ what: 'key', text }));
      const credentials = [{ what: 'token', text: this.#token }, { what: 'session', text: this.#sessionToken }, ...keys];
      for (const { what, text } of credentials) {
        const status = await this.#statusOf(text);
        // A key that was rotated or revoked meanwhile may be none any more.
        const isSame = what !== 'key' || (this.#key.id === id && this.#key.texts.includes(text));
        if (status === 200) this.counts.answered++;
        else if (status === 401 && isSame) this.violations.push(`a good ${what} is answered 401`);
        else if (status !== 401) this.counts.waited++;
      }
      await Bun.sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    await this.#world.close();
  }

  /** 0: no answer. */
  async #statusOf(credential: string): Promise<number> {
    return this.#world.request('/v2/films?limit=1', { token: credential }).then(({ status }) => status, () => 0);
  }

  async #serves(): Promise<void> {
    await eventually('an answer', async () => (await this.#statusOf(this.#token)) === 200);
    await eventually('an answer of the origin', async () => (await this.#world.request('/v2/keys', { token: this.#token })).status === 200);
  }

  async #mint(): Promise<void> {
    this.#token = await this.#world.token({ plan: 'bench' });
  }

  async #make(): Promise<void> {
    const { status, text } = await this.#world.request('/v2/keys', { token: this.#token, json: { name: 'a', scopes: ['films:read'] } });
    if (status !== 201) throw new Error(`no key: ${status} ${text}`);
    const { id, key } = JSON.parse(text) as { readonly id: string; readonly key: string };
    this.#key = { id, texts: [key] };
  }

  #keep({ status, text, json }: Awaited<ReturnType<Person['post']>>): void {
    if (status !== 200) throw new Error(`a refresh token is answered ${status}: ${text}`);
    [this.#refreshToken, this.#sessionToken] = [String(json['refreshToken']), String(json['token'])];
  }
}
