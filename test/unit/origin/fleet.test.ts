/** How many processes there are once some have ended, at whatever moment. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { exitOthers } from '../../../origin/exit-codes.ts';
import { Fleet, type FleetMember } from '../../../origin/processes/fleet.ts';
import { eventually } from '../../support/eventually.ts';

/** Longer than the pause before one that ended is followed. */
const startMs = 300;

/** A process that serves a little after it has begun. */
class Process implements FleetMember {
  readonly number: number;
  readonly pid: number;
  readonly ended: Promise<number>;
  readonly serves: Promise<boolean>;
  readonly #end: (code: number) => void;
  readonly standing: FleetMember['standing'] = { word: 'standing', bytes: 1, unready: [] };
  readonly metricsPort = undefined;
  readonly ageMs = 60_000;
  readonly silentMs = 0;
  isLeaving = false;
  #isAlive = true;
  #hasServed = false;

  constructor(number: number, pid: number) {
    this.number = number;
    this.pid = pid;
    const { promise: ended, resolve: end } = Promise.withResolvers<number>();
    this.ended = ended;
    this.#end = end;
    this.serves = Promise.race([Bun.sleep(startMs).then(() => (this.#hasServed = true)), ended.then(() => false)]);
  }

  get isServing(): boolean {
    return this.#hasServed && this.#isAlive && !this.isLeaving;
  }

  async leave(): Promise<void> {
    this.isLeaving = true;
    this.end(0);
    await this.ended;
  }

  end(code: number): void {
    this.#isAlive = false;
    this.#end(code);
  }

  kill(): void {
    this.end(137);
  }

  changeLogLevel(): void {}
}

let begun: Process[];
let fleet: Fleet;
beforeEach(() => {
  begun = [];
});
afterEach(() => fleet.stop());

async function start(count: number): Promise<void> {
  fleet = new Fleet({
    count, bytesMax: 0, onEvent: () => undefined, onHopeless: () => undefined,
    begin: (number) => {
      const made = new Process(number, begun.length);
      begun.push(made);
      return made;
    },
  });
  await fleet.start();
}

const begins = (count: number) => eventually(`${count} have begun`, () => begun.length === count, { everyMs: 1 });
/** All that waits for its pause has begun by then. */
const settled = () => Bun.sleep(1_000);
const serving = () => fleet.members.map(({ isServing }) => isServing);

test('as many serve at the end where one that has been replaced ends unasked while the next is', async () => {
  await start(2);
  const rolled = fleet.roll();
  await begins(4);
  begun[2]?.end(139);
  expect(await rolled).toBe(true);
  await settled();
  expect(serving()).toEqual([true, true]);
});

test.each([
  ['while it is replaced', 3],
  ['just before', 2],
] as const)('as many serve at the end where one ends unasked %s', async (_when, count) => {
  await start(2);
  const rolled = fleet.roll();
  await begins(count);
  begun[0]?.end(139);
  expect(await rolled).toBe(true);
  await settled();
  expect(serving()).toEqual([true, true]);
});

test('as many serve at the end where one ends unasked just before all have to leave and begin anew', async () => {
  await start(2);
  begun[0]?.end(139);
  const rolled = fleet.roll();
  await begins(3);
  begun[2]?.end(exitOthers);
  expect(await rolled).toBe(false);
  await settled();
  expect(serving()).toEqual([true, true]);
});

test('one that ends unasked is followed by another before all others are replaced', async () => {
  await start(4);
  const rolled = fleet.roll();
  begun[3]?.end(139);
  expect(await rolled).toBe(true);
  expect(fleet.replaced).toMatchObject({ ended: 1, asked: 3 });
  await settled();
  expect(serving()).toEqual(Array.from({ length: 4 }, () => true));
});
