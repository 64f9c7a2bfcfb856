/**
 * Guessing is slowed, by account and by address (SEMANTICS §20): each try is counted before it is made, and past some free ones
 * the next must wait, twice as long each time. While it must, nothing is looked at, so that a right password says nothing;
 * an address of mail that nobody has is counted like any other.
 *
 *   free tries ─▶ one, then a wait ─▶ one, then twice the wait ─▶ … ─▶ a quarter of an hour
 *        ▲                                                               │
 *        └──── the account's own success, or an hour without a try ──────┘
 */
import type { BetterAuthPlugin, DBAdapter } from 'better-auth';
import { hopLimits } from '../../shared/hop/profile.ts';
import { Fault } from '../../shared/wire/fault.ts';

/** What is counted, and how often it is free. An office, or a network's translation, shares one address. */
const guards = {
  /** Passwords and codes of one account, by the address of mail that a sign-in names. */
  account: { free: 5 },
  /** Those of somebody who is known already, by their id. */
  person: { free: 5 },
  /** Passwords and codes from one address, of whatever accounts. */
  address: { free: 50 },
  /** Mails to one address of mail. */
  mailTo: { free: 5 },
  /** Mails that were asked for from one address. */
  mailFrom: { free: 50 },
} as const;

export interface Guarded {
  readonly guard: keyof typeof guards;
  /** The account's address of mail, its id, or the sender's address of the network. */
  readonly whose: string;
}

const waits = {
  firstMs: 2_000,
  mostMs: 900_000,
  /** A series ends after so long without a try. */
  forgottenMs: 3_600_000,
} as const;

/** Tries that meet at the same moment take turns; who finds none is told to come back. */
const turnsMax = 5;

/** The table, as better-auth makes it. `until` and `expiresAt` are milliseconds of the epoch. */
export const attemptsSchema = {
  id: 'tombolo-attempts',
  schema: {
    attempt: {
      fields: {
        key: { type: 'string', required: true, unique: true, input: false },
        tries: { type: 'number', required: true, input: false },
        until: { type: 'date', required: true, input: false },
        expiresAt: { type: 'date', required: true, input: false },
      },
    },
  },
} as const satisfies BetterAuthPlugin;

interface Attempt {
  readonly key: string;
  readonly tries: number;
  readonly until: Date;
  readonly expiresAt: Date;
}

const model = 'attempt';

export class Attempts {
  readonly #adapter: DBAdapter;
  readonly #now: () => number;

  constructor(adapter: DBAdapter, now: () => number) {
    this.#adapter = adapter;
    this.#now = now;
  }

  /** Takes a try of each, or throws `limit_exceeded`, which says from when on there is one. */
  async mustTake(guarded: readonly Guarded[]): Promise<void> {
    for (const each of guarded) await this.#mustTakeOne(each);
  }

  /** The try was good: the series of whoever made it ends, and an address has its try back. */
  async succeed(guarded: readonly Guarded[]): Promise<void> {
    for (const each of guarded) {
      const where = [{ field: 'key', value: keyOf(each) }];
      if (each.guard === 'account' || each.guard === 'person') await this.#adapter.deleteMany({ model, where });
      if (each.guard === 'address') await this.#adapter.incrementOne({ model, where, increment: { tries: -1 } });
    }
  }

  /** A request that was signed for one time and comes again was caught on its way (SEMANTICS §9): `hop_replayed`. */
  async mustBeFirst(nonce: string): Promise<void> {
    if (!(await this.isFirst(`nonce:${nonce}`, hopLimits.nonceKeptSeconds * 1_000))) throw new Fault('hop_replayed');
  }

  /** Whether nobody has spent this; it is kept for so long. */
  isFirst(key: string, keptMs: number): Promise<boolean> {
    const now = this.#now();
    return this.#begin({ key, tries: 1, until: new Date(now), expiresAt: new Date(now + keptMs) });
  }

  /** What is over is forgotten. */
  async sweep(): Promise<void> {
    await this.#adapter.deleteMany({ model, where: [{ field: 'expiresAt', operator: 'lt', value: new Date(this.#now()) }] });
  }

  async #mustTakeOne(guarded: Guarded): Promise<void> {
    const key = keyOf(guarded);
    const { free } = guards[guarded.guard];
    for (let turn = 0; turn < turnsMax; turn++) {
      const now = this.#now();
      const found = await this.#adapter.findOne<Attempt>({ model, where: [{ field: 'key', value: key }] });
      const known = found !== null && found.expiresAt.getTime() > now ? found : undefined;
      if (known !== undefined && known.until.getTime() > now) throw mustWait(known.until.getTime() - now);
      const tries = (known?.tries ?? 0) + 1;
      const set = { until: new Date(now + waitMs(tries - free)), expiresAt: new Date(now + waits.forgottenMs) };
      const isTaken = found === null ? await this.#begin({ key, tries, ...set }) : await this.#goOn(found, tries, set);
      if (isTaken) return;
    }
    throw mustWait(waits.firstMs);
  }

  /** Another may have begun it at the same moment: then this one looks again. */
  async #begin(attempt: Attempt): Promise<boolean> {
    try {
      await this.#adapter.create({ model, data: { ...attempt } });
      return true;
    } catch (cause) {
      const found = await this.#adapter.findOne({ model, where: [{ field: 'key', value: attempt.key }] });
      if (found === null) throw cause;
      return false;
    }
  }

  /** Only from the count that was found, so that of many at once each takes a try of its own. */
  async #goOn({ key, tries: before }: Attempt, tries: number, set: Pick<Attempt, 'until' | 'expiresAt'>): Promise<boolean> {
    const where = [{ field: 'key', value: key }, { field: 'tries', value: before }];
    return (await this.#adapter.incrementOne({ model, where, increment: { tries: tries - before }, set: { ...set } })) !== null;
  }
}

/** Digests, so that the table is no list of who is here. */
function keyOf({ guard, whose }: Guarded): string {
  return `${guard}:${new Bun.CryptoHasher('sha256').update(whose).digest('base64url')}`;
}

/** The wait behind the try that is so many past the free ones. */
function waitMs(past: number): number {
  return past < 0 ? 0 : Math.min(waits.mostMs, waits.firstMs * 2 ** past);
}

function mustWait(ms: number): Fault {
  return new Fault('limit_exceeded', {
    detail: 'too many tries; wait before the next',
    headers: { 'retry-after': String(Math.ceil(ms / 1_000)) },
    members: { 'violated-policies': ['tries'] },
  });
}
