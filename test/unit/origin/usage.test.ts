/** What one process keeps of its callers' days, in its own file or in the store that several share, is there after its end. */
import { expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import type { Host } from '../../../edge/host/host.ts';
import { openHost } from '../../../origin/one-process/host.ts';
import { served } from '../../../shared/resources/all.ts';
import { OpenedOrigin } from '../../support/opened-origin.ts';
import { engines } from '../../support/whole-world.ts';

const windows = [{ limit: 1_000, seconds: 1 }];
const asking = (cost: number) => ({ windows, cost, want: cost, settled: [], days: { kind: 'writes', quota: 12 } } as const);

test.each(engines)('on %s: a month’s quota, and what it was spent on, outlive the process', async (engine) => {
  await using origin = await OpenedOrigin.on(engine, served);
  const file = new Database(':memory:');
  const opened: ReturnType<typeof openHost>[] = [];
  const open = (): Host => {
    const each = toHost();
    opened.push(each);
    return each.host;
  };
  const toHost = () => openHost({ file, shared: origin.context.store.shared }, 1e9, {
    variables: {},
    toOrigin: () => { throw new Error('nobody asks the origin'); },
    addressOf: () => undefined,
    asset: async () => new Response(),
  });
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
});
