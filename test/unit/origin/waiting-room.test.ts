/** An origin whose database is away when it starts: it waits, says so, and serves once the database is there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'bun:test';
import { startMongod } from '../../mongod/mongod.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { Program } from '../../support/program.ts';
import { sendRaw } from '../../proofs/hostile/raw-http.ts';

const keys = `k1:${Buffer.alloc(32, 7).toString('base64url')}`;

test('/ready says what is waited for, /live that it runs, and nothing else is answered until the database is there', async () => {
  const [mongoPort, port] = [freePort(), freePort()];
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-waiting-'));
  const program = new Program([process.execPath, 'origin/main.ts'], {
    cwd: join(import.meta.dir, '../../..'),
    env: {
      ...process.env, TOMBOLO_ENV: 'production', TOMBOLO_KEYS: keys, TOMBOLO_EDGE_URLS: 'https://edge.invalid', TOMBOLO_DATA_DIR: dataDir,
      TOMBOLO_ORIGIN_PORT: String(port), MONGODB_URI: `mongodb://127.0.0.1:${mongoPort}/shop?directConnection=true`,
    },
  });
  try {
    await program.says(/the database is away, and is waited for/);
    const ask = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return [answer.status, await answer.text()] as const;
    };
    expect(await ask('/live')).toEqual([200, '{"status":"live"}']);
    expect(await ask('/ready')).toEqual([503, '{"status":"unready","services":{"store":{"ready":false,"detail":"is waited for"}}}']);
    expect(await ask('/v2/films')).toEqual([503, '']);
    // As balancers ask that speak HTTP/1.0 and name no host.
    const askShortly = async (target: string) => (await sendRaw(`http://127.0.0.1:${port}`, { target, version: '1.0' })).body;
    expect([await askShortly('/live'), await askShortly('/x/live')]).toEqual(['{"status":"live"}', '']);
    const server = await startMongod({ port: mongoPort });
    await program.says(/^tombolo origin listening on port \d+$/m);
    await eventually('the store is ready', async () => (await ask('/ready'))[1].includes('"store":{"ready":true'));
    expect((await ask('/v2/films'))[0]).toBe(401);
    program.signal('SIGTERM');
    expect((await program.ended()).code).toBe(0);
    await server.close();
  } finally {
    await program.kill();
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 60_000);
