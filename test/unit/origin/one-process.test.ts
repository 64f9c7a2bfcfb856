/** What one process holds of its callers: where they come from, and no more than its bounds however many there are. */
import { afterAll, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { mkdtempSync, rmSync } from 'node:fs';
import { BlockList } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CallerCounters } from '../../../origin/one-process/counters.ts';
import { openStateFile } from '../../../origin/one-process/database.ts';
import { FloodShield } from '../../../origin/one-process/flood-shield.ts';
import { senderOf } from '../../../origin/one-process/sender.ts';
import { readNetwork, type ServeSettings } from '../../../origin/one-process/settings.ts';
import { openTickets } from '../../../origin/one-process/tickets.ts';
import { SettingsReader } from '../../../shared/settings/reader.ts';

const dir = mkdtempSync(join(tmpdir(), 'tombolo-one-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** The proxies that a setting names; `undefined` where it is refused. */
function proxiesOf(named: string): ServeSettings['proxies'] {
  const reader = new SettingsReader({ TOMBOLO_PROXIES: named });
  const { proxies } = readNetwork(reader);
  return reader.wrong.length > 0 ? undefined : proxies;
}

const proxies = proxiesOf('10.0.0.1, 10.0.0.2,172.16.0.0/12,2001:DB8:0::1,fd00::/8') ?? new BlockList();
const cases: readonly (readonly [string | undefined, string | null, string | undefined])[] = [
  // Not a proxy: what it says of others is not believed.
  ['192.0.2.9', '198.51.100.1', '192.0.2.9'],
  ['2001:db8::2', '198.51.100.1', '2001:db8::2'],
  ['172.32.0.1', '198.51.100.1', '172.32.0.1'],
  ['10.0.0.1', '198.51.100.1', '198.51.100.1'],
  // The client wrote the first itself, as it likes.
  ['10.0.0.1', '203.0.113.5, 198.51.100.1', '198.51.100.1'],
  ['10.0.0.1', '10.0.0.2, 198.51.100.1', '198.51.100.1'],
  ['10.0.0.1', '"><script>, unknown,, 198.51.100.1', '198.51.100.1'],
  // Through several of ours, however their addresses are spelt.
  ['::ffff:10.0.0.1', '203.0.113.5, 198.51.100.1, 10.0.0.2', '198.51.100.1'],
  ['::FFFF:a00:1', '198.51.100.1, 2001:db8:0:0:0:0:0:1, 172.17.0.3', '198.51.100.1'],
  ['fd12::9', '203.0.113.5, 2001:db8::7, ::ffff:10.0.0.2', '2001:db8::7'],
  // With a port, as some write it.
  ['10.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
  ['10.0.0.1', '203.0.113.5, [2001:db8::7]:4711', '2001:db8::7'],
  ['10.0.0.1', '::ffff:198.51.100.1', '198.51.100.1'],
  // What tells no address stands for whoever wrote it.
  ['10.0.0.1', '198.51.100.1, unknown', '10.0.0.1'],
  ['10.0.0.1', '198.51.100.1, _hidden, 10.0.0.2', '10.0.0.2'],
  ['10.0.0.1', '198.51.100.1, fe80::1%eth0', '10.0.0.1'],
  ['10.0.0.1', null, '10.0.0.1'],
  ['10.0.0.1', ' , ', '10.0.0.1'],
  ['10.0.0.1', '10.0.0.2', '10.0.0.2'],
  [undefined, '198.51.100.1', undefined],
];

test.each(['nginx', '10.0.0.1/33', '10.0.0.1/', '10.0.0.0/8/8', 'fd00::/129', 'fe80::1%eth0', '10.0.0.1;10.0.0.2', '*'])(
  'no proxy is named by %s',
  (named) => expect(proxiesOf(named)).toBeUndefined(),
);

test.each([...cases])('a sender at %s who is said to be for %s is %s', (socket, forwarded, sender) => {
  expect(senderOf(socket, forwarded, proxies)).toBe(sender);
});

const ask = { windows: [{ limit: 3, seconds: 60 }], cost: 1, want: 1, settled: [] };

describe('the counters of callers', () => {
  test('go on where they were, in a new life of the process', () => {
    const home = mkdtempSync(join(dir, 'life-'));
    const first = openStateFile(home);
    const counters = new CallerCounters(first);
    expect([1, 2].map(() => counters.decide('a', ask).granted)).toEqual([1, 1]);
    first.close();
    const second = new CallerCounters(openStateFile(home));
    expect([1, 2].map(() => second.decide('a', ask).granted)).toEqual([1, 0]);
    expect(second.decide('b', ask).granted).toBe(1);
  });

  test('take memory for a thousand, of however many, and forget none of them', () => {
    const counters = new CallerCounters(new Database(':memory:'));
    const once = { ...ask, windows: [{ limit: 1, seconds: 3_600 }] };
    const askAll = (from: number, to: number) => {
      for (let caller = from; caller < to; caller++) counters.decide(`address:${caller}`, once);
    };
    const heap = () => (Bun.gc(true), process.memoryUsage().heapUsed);
    askAll(0, 2_000);
    const before = heap();
    askAll(2_000, 42_000);
    expect(heap() - before).toBeLessThan(4_000_000);
    expect(counters.decide('address:1', once).granted).toBe(0);
  });

  test('of two processes are not kept in one file', () => {
    const home = mkdtempSync(join(dir, 'two-'));
    const held = openStateFile(home);
    const child = Bun.spawnSync([process.execPath, '-e', `
      import { openStateFile } from ${JSON.stringify(join(import.meta.dir, '../../../origin/one-process/database.ts'))};
      openStateFile(${JSON.stringify(home)});
    `], { stderr: 'pipe' });
    expect(child.exitCode).not.toBe(0);
    expect(child.stderr.toString()).toContain('another process already keeps its state');
    held.close();
  });
});

test('the shield counts an address in its window, and takes memory for a hundred thousand', () => {
  let now = 0;
  const shield = new FloodShield(2, () => now);
  expect([1, 2, 3].map(() => shield.isWithin('a'))).toEqual([true, true, false]);
  expect(shield.isWithin('b')).toBe(true);
  now = 10_000;
  expect(shield.isWithin('a')).toBe(true);
  const heap = () => (Bun.gc(true), process.memoryUsage().heapUsed);
  const before = heap();
  for (let address = 0; address < 1_000_000; address++) shield.isWithin(`10.${address}`);
  expect(heap() - before).toBeLessThan(20_000_000);
});

test('a ticket that was used stays used in a new life of the process, and opens its own stream again', async () => {
  const home = mkdtempSync(join(dir, 'tickets-'));
  const first = openStateFile(home);
  const bearer = { principal: { subject: 'ann', roles: [], claims: {} }, signedInUntil: Date.now() + 60_000 };
  await openTickets(first).keep('stream', bearer, 30_000);
  expect(await openTickets(first).redeem('stream', 'again')).toBeUndefined();
  expect(await openTickets(first).redeem('stream', 'first')).toMatchObject({ principal: { subject: 'ann' } });
  first.close();
  const second = openTickets(openStateFile(home));
  expect(await second.redeem('stream', 'first')).toBeUndefined();
  expect(await second.redeem('stream', 'again')).toMatchObject({ principal: { subject: 'ann' } });
  expect(await second.redeem('other', 'first')).toBeUndefined();
});
