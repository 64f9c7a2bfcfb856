/** Services: started in order, stopped backwards within one deadline, each telling its state. */
import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Consumer } from '../../../origin/feed/consumer.ts';
import { startOrigin } from '../../../origin/server.ts';
import { Services, type Started } from '../../../origin/services/services.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { eventually } from '../../support/eventually.ts';
import { testKeys } from '../../support/scripted-origin.ts';

function world(): {
  readonly services: Services;
  readonly told: string[];
  readonly make: (name: string, given?: Partial<Started<string>>) => () => Started<string>;
} {
  const told: string[] = [];
  const services = new Services({
    onTrouble: (service, cause) => told.push(`trouble ${service}: ${cause instanceof Error ? cause.message : String(cause)}`),
  });
  const make = (name: string, given: Partial<Started<string>> = {}) => (): Started<string> => {
    told.push(`start ${name}`);
    return { value: name, stop: async () => void told.push(`stop ${name}`), state: () => ({ ready: true }), ...given };
  };
  return { services, told, make };
}

const soon = () => Date.now() + 200;

describe('services', () => {
  test('are started in order and stopped backwards, once', async () => {
    const { services, told, make } = world();
    for (const name of ['a', 'b', 'c']) expect(await services.start(name, make(name))).toBe(name);
    await Promise.all([services.stop(soon()), services.stop(soon())]);
    expect(told).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a']);
  });

  test('that were started are stopped when a later one does not start', async () => {
    const { services, told, make } = world();
    await services.start('a', make('a'));
    await services.start('b', make('b'));
    await expect(services.start('c', () => Promise.reject(new Error('no port')))).rejects.toThrow('no port');
    expect(told).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  test('that hang or fail at their stop keep none from stopping', async () => {
    const { services, told, make } = world();
    await services.start('a', make('a'));
    await services.start('hung', make('hung', { stop: () => new Promise<void>(() => undefined) }));
    await services.start('broken', make('broken', { stop: () => Promise.reject(new Error('a bug')) }));
    const startedMs = performance.now();
    await services.stop(soon());
    expect(told.slice(3)).toEqual(['trouble broken: a bug', 'trouble hung: did not stop in time', 'stop a']);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test('tell their states, and one that cannot is not ready', async () => {
    const { services, make } = world();
    await services.start('a', make('a', { state: () => ({ ready: true, detail: 'late' }) }));
    await services.start('b', make('b', { state: () => Promise.reject(new Error('secret')) }));
    await services.start('c', make('c', { state: () => new Promise(() => undefined) }));
    expect(await services.states()).toEqual({
      a: { ready: true, detail: 'late' },
      b: { ready: false, detail: 'cannot say how it is' },
      c: { ready: false, detail: 'does not say how it is' },
    });
  });

  test('that stop say so', async () => {
    const { services, make } = world();
    await services.start('a', make('a'));
    await services.stop(soon());
    expect((await services.states())['origin']).toEqual({ ready: false, detail: 'is stopping' });
  });
});

test('the origin tells at /ready how each of its services is, to anybody', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-ready-'));
  const settings = mustSettings({
    TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: dir, TOMBOLO_ORIGIN_PORT: '0', TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9',
    TOMBOLO_LOG_LEVEL: 'silent',
  });
  const handle: Consumer['handle'] = (changes) => {
    if (changes.some(({ resource }) => resource === 'places')) throw new Error('a bug');
    return [];
  };
  const stuck: Consumer = { name: 'stuck', handle, lost: () => [] };
  const origin = await startOrigin(settings, { consumers: [stuck] });
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${origin.port}/ready`);
    return { ...((await answer.json()) as { services: Record<string, unknown> }), status: answer.status };
  };
  expect(await ask()).toMatchObject({
    status: 200,
    services: { store: { ready: true }, feed: { ready: true }, 'consumer stuck': { ready: true }, server: { ready: true } },
  });
  const file = new Database(join(dir, databaseName));
  file.run(`INSERT INTO places (id, doc) VALUES ('99999', '{"latitude":1,"longitude":1,"city":"x","state":"NY","county":"y"}')`);
  file.close();
  await eventually('the consumer fails, and the origin says so', async () => (await ask()).status === 503);
  expect((await ask()).services['consumer stuck']).toEqual({ ready: false, detail: 'does not get on at places/99999: a bug' });
  await origin.close();
  rmSync(dir, { recursive: true });
});
