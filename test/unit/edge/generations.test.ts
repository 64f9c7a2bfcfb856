/** Generations against a naive keeper of everything ever reported, under reports in any order and number. */
import { Database, type SQLQueryBindings } from 'bun:sqlite';
import { afterAll, afterEach, beforeAll, expect, setSystemTime, test } from 'bun:test';
import fc from 'fast-check';
import type { Contract } from '../../../shared/contract/contract.ts';
import type { Dependencies } from '../../../shared/contract/dependencies.ts';
import { GenerationsInMemory } from '../../../origin/one-process/generations.ts';
import { changesInRedis, reportToRedis } from '../../../edge/redis/generations.ts';
import { Redis } from '../../../edge/redis/redis.ts';
import type { Report } from '../../../shared/hop/purge-report.ts';
import { testThat } from '../../support/needs.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';

/** The modules need Workers' types; what the test uses of them is this. */
interface Table {
  apply(report: Report, nowMs: number): boolean;
  changesSince(resource: string, heard: Heard | undefined): Told;
}
type Told = Heard & { floor: string; through: string; whole: boolean; buckets: readonly { bucket: number; order: string }[] };
interface Heard {
  readonly instance: string;
  readonly revision: number;
  readonly epoch: string | null;
}
interface View {
  readonly known: boolean;
  readonly through: string;
  readonly generations: readonly string[];
}
interface Memo {
  view(
    dependencies: Dependencies,
    asking: { ask(resource: string, heard: Heard | undefined): Promise<unknown>; waitUntil(work: Promise<unknown>): void },
  ): Promise<View | undefined>;
}
const paths: readonly string[] = ['../../../edge/coordinator/generations-table.ts', '../../../edge/cache/generations.ts'];
const [{ GenerationsTable }, { Generations }] = (await Promise.all(paths.map((path) => import(path)))) as [
  { GenerationsTable: new (sql: unknown) => Table },
  { Generations: new (settings: { memoMs: number; feedSilentMs: number }, own: Pick<Contract, 'digest' | 'reported'>) => Memo },
];

/** A Durable Object's SQL over bun:sqlite. */
function openTable(): Table {
  const database = new Database(':memory:', { strict: true });
  const exec = (sql: string, ...bindings: SQLQueryBindings[]) => {
    if (sql.includes(';')) return void database.run(sql);
    const rows = database.prepare(sql).all(...bindings);
    return Object.assign(rows, { one: () => rows[0] });
  };
  return new GenerationsTable({ exec });
}

const order = (at: number) => at.toString(16).padStart(16, '0');
const resources = ['films', 'places'];
const buckets = [0, 1, 2, 3];

/** Every raise ever accepted, of the present epoch. */
class Naive {
  epoch: string | undefined;
  through = 0;
  floor = 0;
  readonly raised: { resource: string; bucket: number | undefined; at: number }[] = [];
  readonly left = new Set<string>();

  apply({ epoch, from, through, raised, whole }: Given): boolean {
    if (epoch !== this.epoch) {
      if (from !== null || this.left.has(epoch)) return false;
      if (this.epoch !== undefined) this.left.add(this.epoch);
      Object.assign(this, { epoch, through, floor: through });
      this.raised.length = 0;
    }
    if (from === null) this.floor = Math.max(this.floor, through);
    else if (from > this.through) return false;
    this.through = Math.max(this.through, through);
    for (const [resource, bucket, at] of raised) this.raised.push({ resource, bucket, at });
    for (const [resource, at] of whole) this.raised.push({ resource, bucket: undefined, at });
    return true;
  }

  generation(resource: string, bucket: number): string {
    return order(
      this.raised
        .filter((raise) => raise.resource === resource && (raise.bucket === undefined || raise.bucket === bucket))
        .reduce((latest, { at }) => Math.max(latest, at), this.floor),
    );
  }
}

interface Given {
  readonly epoch: string;
  readonly from: number | null;
  readonly through: number;
  readonly raised: readonly (readonly [resource: string, bucket: number, at: number])[];
  readonly whole: readonly (readonly [resource: string, at: number])[];
}

function toReport({ epoch, from, through, raised, whole }: Given): Report {
  const report = {
    epoch,
    from: from === null ? null : order(from),
    through: order(through),
    asOf: null,
    raised: {} as Record<string, Record<string, string>>,
    whole: {} as Record<string, string>,
  };
  for (const [resource, bucket, at] of raised) {
    (report.raised[resource] ??= {})[bucket] = [report.raised[resource]?.[bucket] ?? '', order(at)].sort()[1] ?? '';
  }
  for (const [resource, at] of whole) report.whole[resource] = [report.whole[resource] ?? '', order(at)].sort()[1] ?? '';
  return report;
}

const given: fc.Arbitrary<Given> = fc.integer({ min: 1, max: 30 }).chain((through) => {
  const at = fc.integer({ min: 1, max: through });
  return fc.record({
    epoch: fc.constantFrom(...['a', 'a', 'b', 'c'].map((letter) => letter.repeat(16))),
    from: fc.oneof({ weight: 2, arbitrary: fc.integer({ min: 0, max: through }) }, { weight: 1, arbitrary: fc.constant(null) }),
    through: fc.constant(through),
    raised: fc.array(fc.tuple(fc.constantFrom(...resources), fc.constantFrom(...buckets), at), { maxLength: 3 }),
    whole: fc.array(fc.tuple(fc.constantFrom(...resources), at), { maxLength: 1 }),
  });
});

/** Makes a memo of 0 ms old enough for the next view to ask. */
const tick = () => setSystemTime(new Date(Date.now() + 1));
afterEach(() => void setSystemTime());

let redis: RestRedis;
beforeAll(async () => {
  if (redisServer.met) redis = await RestRedis.start();
});
afterAll(() => redis?.[Symbol.asyncDispose]());

interface Keeper {
  apply(report: Report, nowMs: number): boolean | Promise<boolean>;
  changesSince(resource: string, heard: Heard | undefined): Told | Promise<Told>;
}

let reports = 0;

/** As an edge asks it. */
async function openRedis(): Promise<Keeper> {
  await redis.command('FLUSHALL');
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = redis.variables;
  const client = new Redis({ url, token });
  return {
    async apply(report) {
      const outcome = await reportToRedis(client, { report, nonce: `nonce-${++reports}`, expiresAt: Date.now() + 60_000 });
      return outcome !== 'replayed' && outcome.accepted;
    },
    changesSince: (resource, heard) => changesInRedis(client, resource, heard && { ...heard, epoch: heard.epoch ?? '' }),
  };
}

const asKnown = 'an isolate that asks now and then knows what a naive keeper of all reports knows';

test(`${asKnown}, of objects`, () => knowsAsNaive(openTable, 120));
test(`${asKnown}, of one process`, () => knowsAsNaive(() => new GenerationsInMemory(), 120));
testThat(redisServer)(`${asKnown}, of Redis`, () => knowsAsNaive(openRedis, 60));

async function knowsAsNaive(open: () => Keeper | Promise<Keeper>, numRuns: number): Promise<void> {
  await fc.assert(fc.asyncProperty(fc.array(fc.record({ given, asks: fc.boolean() }), { minLength: 1, maxLength: 25 }), async (steps) => {
    const table = await open();
    const naive = new Naive();
    const memo = new Generations({ memoMs: 0, feedSilentMs: 1_000 }, { digest: '', reported: new Map() });
    const ask = async (resource: string, heard: Heard | undefined) =>
      ({ ...await table.changesSince(resource, heard), ageMs: 0, contracts: [] });
    for (const [index, step] of steps.entries()) {
      expect(await table.apply(toReport(step.given), index)).toBe(naive.apply(step.given));
      if (!step.asks) continue;
      for (const resource of resources) {
        tick();
        const view = await memo.view([{ resource, buckets }], { ask, waitUntil: () => undefined });
        expect(view?.generations).toEqual(
          naive.epoch === undefined ? undefined : buckets.map((bucket) => naive.generation(resource, bucket)),
        );
        if (naive.epoch !== undefined) expect(view?.through).toBe(order(naive.through));
      }
      // An answer that depends on several resources: as old as the oldest thing known of one of them.
      tick();
      const all = await memo.view(resources.map((resource) => ({ resource, buckets })), { ask, waitUntil: () => undefined });
      expect(all?.generations).toEqual(
        naive.epoch === undefined
          ? undefined
          : resources.flatMap((resource) => buckets.map((bucket) => naive.generation(resource, bucket))),
      );
    }
  }), { numRuns });
}

test('generations never fall within an epoch, whatever is repeated or late', () => {
  fc.assert(fc.property(fc.array(given, { minLength: 2, maxLength: 30 }), (reports) => {
    const table = openTable();
    const seen = new Map<string, string>();
    for (const [index, report] of [...reports, ...reports].entries()) {
      table.apply(toReport(report), index);
      for (const resource of resources) {
        const { epoch, floor, buckets: raised } = table.changesSince(resource, undefined);
        for (const bucket of buckets) {
          const found = [floor, raised.find((row) => row.bucket === bucket)?.order ?? ''].sort()[1] ?? '';
          const key = `${epoch} ${resource} ${bucket}`;
          expect(found >= (seen.get(key) ?? '')).toBe(true);
          seen.set(key, found);
        }
      }
    }
  }), { numRuns: 300 });
});
