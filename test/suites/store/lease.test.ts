/** A lease: one holder at a time, the next one when it is let go or falls silent, and no clock is compared. */
import { describe, expect, test } from 'bun:test';
import { Lease } from '../../../origin/feed/lease.ts';
import type { Store } from '../../../origin/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import type { OpenPlace } from './harness.ts';
import { openMongoPlace } from './mongo-place.ts';
import { openSqlitePlace } from './sqlite-place.ts';
import { effects } from './things.ts';

const engines: readonly (readonly [string, OpenPlace])[] = [['SQLite', openSqlitePlace], ['MongoDB', openMongoPlace]];
/** A beat on a busy machine may take some tenths of a second; a holder that cannot beat for so long has lost it by right. */
const times = { beatMs: 20, silentMsMax: 2_000 };

/** Who wants it, whether they have it, and how they give it back or die. */
class Wanting {
  holds = false;
  readonly #end = new AbortController();
  readonly #dead = new AbortController();
  readonly #running: Promise<void>;

  constructor(store: Store, name = 'work') {
    const living: Pick<Store, 'cursor' | 'write'> = {
      cursor: (consumer) => store.cursor(consumer),
      write: (mutations, options) => (this.#dead.signal.aborted ? new Promise(() => undefined) : store.write(mutations, options)),
    };
    this.#running = new Lease(living, name, times).hold(this.#end.signal, async (held) => {
      this.holds = true;
      await new Promise((resolve) => held.addEventListener('abort', resolve, { once: true }));
      this.holds = false;
    });
  }

  async letGo(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  /** As after a kill: it writes nothing any more, not even that it is gone. */
  die(): void {
    this.#dead.abort();
  }
}

describe.each(engines)('a lease on %s', (_engine, open) => {
  test('is held by one of several, and by the next at once when it is let go', async () => {
    const place = await open({ resources: [effects] });
    const all = [new Wanting(place.store), new Wanting(place.store), new Wanting(place.store)];
    const other = new Wanting(place.store, 'other work');
    for (let left = all.length, askedMs = performance.now(); left > 0; left--, askedMs = performance.now()) {
      const holder = await eventually('one has it', () => all.find(({ holds }) => holds));
      expect(performance.now() - askedMs).toBeLessThan(times.silentMsMax);
      for (let look = 0; look < 10; look++, await Bun.sleep(times.beatMs)) expect(all.filter(({ holds }) => holds)).toEqual([holder]);
      await holder.letGo();
    }
    expect(other.holds).toBe(true);
    await other.letGo();
    await place.remove();
  });

  test('of one that is dead is taken once it stood still for long enough, and not before', async () => {
    const place = await open({ resources: [effects] });
    const first = new Wanting(place.store);
    await eventually('it has it', () => first.holds);
    const second = new Wanting(place.store);
    first.die();
    const diedMs = performance.now();
    await eventually('the second has it', () => second.holds);
    expect(performance.now() - diedMs).toBeGreaterThanOrEqual(times.silentMsMax - times.beatMs);
    await second.letGo();
    await place.remove();
  });

  test('that another took meanwhile is known to be lost at the next beat', async () => {
    const place = await open({ resources: [effects] });
    const first = new Wanting(place.store);
    await eventually('it has it', () => first.holds);
    for (let isTaken = false; !isTaken; ) {
      const from = await place.store.cursor('work');
      const cursor = { consumer: 'work', from, to: { epoch: 'f'.repeat(16), order: '000000000001' } };
      isTaken = await place.store.write([], { deadline: Date.now() + 1_000, cursor }).then(() => true, () => false);
    }
    await eventually('it knows', () => !first.holds);
    expect((await place.store.cursor('work'))?.epoch).toBe('f'.repeat(16));
    await place.remove();
  });
});
