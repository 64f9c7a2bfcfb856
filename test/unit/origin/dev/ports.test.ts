import { expect, test } from 'bun:test';
import { mustFreePorts } from '../../../../origin/dev/ports.ts';

test('names the port and the variable when another program has the port', async () => {
  const other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('mine') });
  const port = other.port ?? 0;
  await expect(mustFreePorts([{ variable: 'TOMBOLO_EDGE_PORT', port }])).rejects.toThrow(
    `TOMBOLO_EDGE_PORT: port ${port} is in use by another program`,
  );
  void other.stop(true);
});

test('refuses one port for both', async () => {
  await expect(
    mustFreePorts([
      { variable: 'TOMBOLO_ORIGIN_PORT', port: 9 },
      { variable: 'TOMBOLO_EDGE_PORT', port: 9 },
    ]),
  ).rejects.toThrow('TOMBOLO_EDGE_PORT: is 9, the same as TOMBOLO_ORIGIN_PORT');
});

test('waits for a port that a process just ended still holds', async () => {
  const other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('soon gone') });
  const free = mustFreePorts([{ variable: 'TOMBOLO_EDGE_PORT', port: other.port ?? 0 }], 5_000);
  await other.stop(true);
  await free;
});
