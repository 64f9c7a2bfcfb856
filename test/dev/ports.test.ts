import { expect, test } from 'bun:test';
import { mustFreePorts } from '../../origin/dev/ports.ts';

test('names the port and the variable when another program has the port', () => {
  const other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('mine') });
  const port = other.port ?? 0;
  expect(() => mustFreePorts([{ variable: 'TOMBOLO_EDGE_PORT', port }])).toThrow(`TOMBOLO_EDGE_PORT: port ${port} is in use by another program`);
  void other.stop(true);
});

test('refuses one port for both', () => {
  expect(() => mustFreePorts([{ variable: 'TOMBOLO_ORIGIN_PORT', port: 9 }, { variable: 'TOMBOLO_EDGE_PORT', port: 9 }])).toThrow('TOMBOLO_EDGE_PORT: is 9, the same as TOMBOLO_ORIGIN_PORT');
});
