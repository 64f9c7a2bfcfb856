/** What one process keeps of its callers' days, in its own file or in what several share, is there after its end. */
import { expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import type { Host } from '../../../edge/host/host.ts';
import { openHost } from '../../../origin/one-process/host.ts';
import { served } from '../../../shared/resources/all.ts';
import { testThat } from '../../support/needs.ts';
import { OpenedOrigin } from '../../support/opened-origin.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';
import { engines } from '../../support/whole-world.ts';

const windows = [{ limit: 1_000, seconds: 1 }];
const asking = (cost: number) => ({ windows, cost, want: cost, settled: [], days: { kind: 'writes', quota: 12 } } as const);

const asSpent = 'a month’s quota, and what it was spent on, outlive the process';

test.each(engines)(`on %s: ${asSpent}`, async (engine) => {
  await using origin = await OpenedOrigin.on(engine, served);
  const file = new Database(':memory:');
  await expectSpent((network) => openHost({ file, shared: origin.context.store.shared }, 1e9, { ...network, variables: {} }));
});

testThat(redisServer)(`in Redis, each process with a file of its own: ${asSpent}`, async () => {
  await using redis = await RestRedis.start();
  const open = () => ({ file: new Database(':memory:'), shared: undefined });
  await expectSpent((network) => openHost(open(), 1e9, { ...network, variables: redis.variables }));
  const [one, other] = [1, 2].map(() => openHost(open(), 1e9, { ...network, variables: redis.variables }).host);
  const bearer = { principal: { subject: 'alice', roles: [], claims: {} }, signedInUntil: Date.now() + 60_000 };
  await one?.tickets.keep('a-stream', bearer, 30_000);
  const redeemed = await Promise.all([one, other, one, other].map((host) => host?.tickets.redeem('a-stream', 'first')));
  expect(redeemed.flatMap((bearer) => (bearer === undefined ? [] : [bearer.principal.subject]))).toEqual(['alice']);
});

const network = {
  toOrigin: () => { throw new Error('nobody asks the origin'); },
  addressOf: () => undefined,
  asset: async () => new Response(),
};

async function expectSpent(toHost: (given: typeof network) => ReturnType<typeof openHost>): Promise<void> {
  const opened: ReturnType<typeof openHost>[] = [];
  const open = (): Host => {
    const each = toHost(network);
    opened.push(each);
    return each.host;
  };
  const granted = async (host: Host, caller: string, times: number) => {
    const answers = await Promise.all(Array.from({ length: times }, () => host.askCounter(caller, asking(1))));
    return answers.filter((answer) => answer.granted === 1).length;
  };
  expect(await granted(open(), 'subject:a', 5)).toBe(5);
  const again = open();
  expect(await granted(again, 'subject:a', 20)).toBe(7);
  expect(await granted(open(), 'subject:a', 5)).toBe(0);
  expect(await granted(again, 'subject:b', 3)).toBe(3);
  // 80 and 100 % of one quota, each seen by the process that came to it.
  expect(opened.map(({ quotasUsed }) => quotasUsed())).toEqual([0, 2, 0]);
  const day = Math.floor(Date.now() / 86_400_000);
  expect(await open().spentBy('subject:a')).toEqual([{ day, kind: 'writes', amount: 12 }]);
  expect([await open().spentBy('subject:b'), await open().spentBy('subject:c')]).toEqual([[{ day, kind: 'writes', amount: 3 }], []]);
}
