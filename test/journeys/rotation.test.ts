/** Secrets that are replaced while an origin runs, as whoever operates it replaces them: another file, and HUP. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import { signHop } from '../support/signed-hop.ts';
import { UnforgivingClient } from '../support/unforgiving-client.ts';

const project = join(import.meta.dir, '../..');
const port = freePort();
type Secret = 'keys' | 'incoming' | 'uri';
const newKey = (id: string): string => `${id}:${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`;

let dir: string;
let keys: string;
let program: Program;
beforeEach(async () => {
  dir = makeTempDir();
  keys = newKey('k0');
  replace('uri', '');
  replace('keys', keys);
  replace('incoming', 'payments:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw,stock:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  program = new Program([process.execPath, join(project, 'origin/main.ts')], {
    cwd: project,
    env: {
      ...process.env, MONGODB_URI: '', MONGODB_URI_FILE: fileOf('uri'), TOMBOLO_ENV: 'production',
      TOMBOLO_DATA_DIR: dir, TOMBOLO_ORIGIN_PORT: String(port),
      TOMBOLO_KEYS_FILE: fileOf('keys'), TOMBOLO_INCOMING_SECRETS_FILE: fileOf('incoming'),
      TOMBOLO_LOG_LEVEL: 'silent', TOMBOLO_LOG_ONE_IN: '0',
      // Nobody listens on port 9: what an edge is told is no part of this.
      TOMBOLO_EDGE_URLS: 'https://127.0.0.1:9', TOMBOLO_METRICS_PORT: '',
    },
  });
  await program.says(/^tombolo origin listening/m);
});
afterEach(async () => {
  await program.kill();
  rmSync(dir, { recursive: true, force: true });
});

function fileOf(secret: Secret): string {
  return join(dir, secret);
}

/** As Docker and Vault's agent do: nobody reads half a file. */
function replace(secret: Secret, text: string): void {
  writeFileSync(`${fileOf(secret)}.next`, text);
  renameSync(`${fileOf(secret)}.next`, fileOf(secret));
}

/** Sends the signal, and waits for what is said of it. */
async function hup(): Promise<unknown> {
  const before = program.output.length;
  program.signal('SIGHUP');
  const [line] = await program.says(new RegExp(`(?<=^[^]{${before},})\\{"time".*secrets.*\\}\\n`));
  return JSON.parse(line);
}

test('the hop\'s key is replaced five times under clients that never retry, and no request fails', async () => {
  const ask = async (client: UnforgivingClient, by: string) => {
    const { status } = await client.ask(signHop(by, { url: `http://127.0.0.1:${port}/v2/films?limit=1` }));
    return status;
  };
  let [isOver, failed, answered] = [false, 0, 0];
  // What the edge signs with: it is given the next key when the origin has both, and the origin drops the old one after that.
  let edgeKeys = keys;
  const clients = Array.from({ length: 4 }, async () => {
    const client = new UnforgivingClient(port);
    while (!isOver) {
      const status = await ask(client, edgeKeys).catch(() => 0);
      if (status === 200) answered++;
      else failed++;
    }
    client.close();
  });
  const more = async (count: number): Promise<void> => {
    for (const enough = answered + count; answered < enough && failed === 0;) await Bun.sleep(5);
  };
  const stranger = new UnforgivingClient(port);
  for (let rotation = 1; rotation <= 5; rotation++) {
    const [old, next] = [keys, newKey(`k${rotation}`)];
    expect(await ask(stranger, next)).toBe(401);
    replace('keys', `${next},${old}`);
    expect(await hup()).toMatchObject({ taken: ['TOMBOLO_KEYS'], waiting: [] });
    await more(100);
    [edgeKeys, keys] = [next, next];
    // What was signed with the old key is answered by then: each of the four asks one question at a time.
    await more(100);
    replace('keys', next);
    expect(await hup()).toMatchObject({ taken: ['TOMBOLO_KEYS'] });
    await more(100);
    expect(await ask(stranger, old)).toBe(401);
  }
  isOver = true;
  await Promise.all(clients);
  stranger.close();
  expect(failed).toBe(0);
  expect(answered).toBeGreaterThanOrEqual(1_500);
});

test('what is wrong changes nothing, what waits for a start is named, and no value is told', async () => {
  const client = new UnforgivingClient(port);
  const asked = async () => (await client.ask(signHop(keys, { url: `http://127.0.0.1:${port}/v2/films?limit=1` }))).status;
  replace('keys', 'k1:planted-secret');
  expect(await hup()).toMatchObject({ wrong: expect.stringContaining('TOMBOLO_KEYS: key "k1"') });
  expect(await asked()).toBe(200);
  rmSync(fileOf('keys'));
  expect(await hup()).toMatchObject({ wrong: 'TOMBOLO_KEYS_FILE: cannot be read (ENOENT)' });
  expect(await asked()).toBe(200);
  replace('keys', keys);
  replace('incoming', 'payments:whsec_cGxhbnRlZC1zZWNyZXQtcGxhbnRlZC1zZWNyZXQ=');
  expect(await hup()).toMatchObject({ taken: ['TOMBOLO_INCOMING_SECRETS'], waiting: [] });
  replace('uri', 'mongodb://user:planted@127.0.0.1/shop');
  expect(await hup()).toMatchObject({ taken: [], waiting: ['MONGODB_URI'] });
  expect(await asked()).toBe(200);
  expect(program.output).not.toMatch(/planted|cGxhbnRlZ/);
  client.close();
});
