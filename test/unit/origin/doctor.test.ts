/** The doctor, with each thing that it looks at broken once by itself; nothing that is real is replaced but the clock. */
import { Database } from 'bun:sqlite';
import { describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import type { Document } from 'mongodb';
import { databaseFindings } from '../../../origin/doctor/database.ts';
import type { Finding } from '../../../origin/doctor/finding.ts';
import { issuerFindings } from '../../../origin/doctor/issuer.ts';
import { originFindings } from '../../../origin/doctor/listening.ts';
import type { Patient } from '../../../origin/doctor/patient.ts';
import { readPatient } from '../../../origin/doctor/settings.ts';
import { versionFindings } from '../../../origin/doctor/versions.ts';
import { readWorkerFile } from '../../../origin/doctor/worker-file.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { served } from '../../../shared/resources/all.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { freePort } from '../../support/free-port.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';

const project = join(import.meta.dir, '../../..');
const keys = `k1:${Buffer.alloc(32, 7).toString('base64url')}`;
const disposals = disposedAfterEach();

function makeDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-doctor-'));
  disposals.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function patient(variables: Readonly<Record<string, string>> = {}, changed: Partial<Patient> = {}): Patient {
  const defaults = { TOMBOLO_KEYS: keys, TOMBOLO_DATA_DIR: join(makeDir(), 'none'), TOMBOLO_ORIGIN_PORT: String(freePort()) };
  return { variables: { ...defaults, ...variables }, project, clock: Date.now, which: (program) => Bun.which(program), ...changed };
}
const read = (...given: Parameters<typeof patient>) => readPatient(patient(...given)).read;

/** What is wrong, each with what mends it. */
function faultsOf(findings: readonly Finding[]): string[] {
  return findings.flatMap((finding) => {
    if (finding.state !== 'wrong') return [];
    expect([finding.matters, finding.mend]).not.toContain('');
    return [`${finding.check}: ${finding.found}`];
  });
}

describe('versions', () => {
  test('as declared are right', () => expect(faultsOf(versionFindings(patient()))).toEqual([]));

  test('of all three are told where they differ from what is declared', () => {
    const other = makeDir();
    mkdirSync(join(other, 'node_modules/wrangler'), { recursive: true });
    writeFileSync(join(other, 'package.json'), JSON.stringify({
      engines: { node: '>=999' }, dependencies: { bun: '0.0.1' }, devDependencies: { wrangler: '9.9.9' },
    }));
    writeFileSync(join(other, 'node_modules/wrangler/package.json'), JSON.stringify({ version: '1.0.0' }));
    const program = join(other, 'node');
    writeFileSync(program, '#!/bin/sh\necho v18.1.0\n', { mode: 0o755 });
    expect(faultsOf(versionFindings(patient({}, { project: other, which: () => program })))).toEqual([
      `bun: ${Bun.version} runs this; 0.0.1 is declared`, `node: 18.1.0 at ${program}; >=999 is needed`,
      'wrangler: 1.0.0 is installed; 9.9.9 is declared',
    ]);
  });
});

describe('settings', () => {
  test.each([
    [{ TOMBOLO_ORIGIN_PORT: '80a' }, /^settings: TOMBOLO_ORIGIN_PORT: must be a port/],
    [{ TOMBOLO_DATA_DRI: '/x' }, /^settings: TOMBOLO_DATA_DRI: no setting has this name; did you mean TOMBOLO_DATA_DIR\?$/],
    [{ TOMBOLO_KEYS: '', TOMBOLO_KEYS_FILE: '/not/there' }, /^keys: TOMBOLO_KEYS_FILE: cannot be read \(ENOENT\)$/],
    [{ TOMBOLO_KEYS: 'k1:c2hvcnQ' }, /^keys: TOMBOLO_KEYS: key "k1" has 5 bytes; 32 at least$/],
    [{ TOMBOLO_KEYS: '', TOMBOLO_ENV: 'production', TOMBOLO_EDGE_URLS: 'https://a.example' }, /^keys: TOMBOLO_KEYS: is required/],
  ])('as %j are told', (variables, said) => {
    const faults = faultsOf(readPatient(patient(variables)).findings);
    expect(faults).toEqual([expect.stringMatching(said)]);
    expect(faults.join()).not.toContain('c2hvcnQ');
  });

  test('of development have the key that npm start keeps', () => {
    const dataDir = makeDir();
    const given = { TOMBOLO_KEYS: '', TOMBOLO_DATA_DIR: dataDir };
    expect(readPatient(patient(given)).read.keys).toBeUndefined();
    expect(faultsOf(readPatient(patient(given)).findings)).toEqual([]);
    writeFileSync(join(dataDir, 'keys'), `dev-1:${Buffer.alloc(32, 1).toString('base64url')}\n`);
    expect(readPatient(patient(given)).read.keys?.map(({ id }) => id)).toEqual(['dev-1']);
  });
});

describe('wrangler.toml', () => {
  const lookAt = (change: (text: string) => string, variables: Readonly<Record<string, string>> = {}) => {
    const other = makeDir();
    cpSync(join(project, 'package.json'), join(other, 'package.json'));
    writeFileSync(join(other, 'wrangler.toml'), change(readFileSync(join(project, 'wrangler.toml'), 'utf8')));
    return readWorkerFile(read(variables, { project: other })).findings;
  };
  const changed = (...given: Parameters<typeof lookAt>) => faultsOf(lookAt(...given));

  test.each([
    ['as it is', (text: string) => text, []],
    ['without an object', (text: string) => text.replace('name = "TICKETS"', 'name = "TICKET"'), ['binds no TICKETS']],
    ['without the shield', (text: string) => text.replace('name = "FLOOD"', 'name = "F"'), ['binds no FLOOD']],
    ['with a misspelt name', (text: string) => text.replace('TOMBOLO_MEMO_MS', 'TOMBOLO_MEMO_SM'), ['did you mean TOMBOLO_MEMO_MS']],
    ['with a wrong value', (text: string) => text.replace('MEMO_MS = "1000"', 'MEMO_MS = "1s"'), ['TOMBOLO_MEMO_MS: must be']],
    ['malformed', (text: string) => `${text}\n[[[`, ['cannot be read']],
  ])('%s', (_title, change, said) => {
    expect(changed(change)).toEqual(said.map((each) => expect.stringContaining(each)));
  });

  test.each([
    ['TOMBOLO_KEYS', 'npx wrangler secret put TOMBOLO_KEYS'], ['TOMBOLO_METRICS_TOKEN', 'npx wrangler secret put TOMBOLO_METRICS_TOKEN'],
    ['TOMBOLO_PEOPLE_SECRET', 'take the line out: only the origin reads it'],
  ])('with %s, a secret that is deployed in the open, says what to do about it', (name, mend) => {
    const value = 's'.repeat(43);
    const findings = lookAt((text) => text.replace('[vars]', `[vars]\n${name} = "${value}"`));
    expect(faultsOf(findings)).toEqual([`wrangler.toml: has ${name}, a secret, among its variables`]);
    expect(findings).toMatchObject([{ mend: expect.stringContaining(mend) }]);
    expect(JSON.stringify(findings)).not.toContain(value);
  });

  test('for production is needed by a deploy alone where it is as a clone has it, and lacks the rest once it is begun', () => {
    const given = { TOMBOLO_ENV: 'production', TOMBOLO_EDGE_URLS: 'https://a.example' };
    expect(lookAt((text) => text, given)).toMatchObject([{ check: 'wrangler.toml', state: 'skipped' }]);
    const begun = (text: string) => text.replace('[vars]', '[vars]\nTOMBOLO_AUDIENCE = "https://a.example"');
    expect(changed(begun, given)).toContain('wrangler.toml: TOMBOLO_ISSUER: is missing');
  });
});

describe('the store', () => {
  const openFile = async (): Promise<string> => {
    const dataDir = makeDir();
    await (await openSqliteStore({ dataDir, resources: served.stored })).close();
    return dataDir;
  };

  test('undamaged in a file is right', async () => {
    const findings = await databaseFindings(read({ TOMBOLO_DATA_DIR: await openFile() }));
    expect(findings.find(({ check }) => check === 'store')?.state).toBe('right');
  });

  test('that is damaged, or was half restored, is told', async () => {
    const dataDir = await openFile();
    const path = join(dataDir, 'tombolo.sqlite');
    const database = new Database(path, { readwrite: true });
    database.run('PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0x5a, 8_192, bytes.length - 4_096));
    expect(faultsOf(await databaseFindings(read({ TOMBOLO_DATA_DIR: dataDir })))[0]).toMatch(/^store: .*(damaged|malformed)/);
    rmSync(path);
    writeFileSync(join(dataDir, 'tombolo.sqlite.restored'), '');
    expect(faultsOf(await databaseFindings(read({ TOMBOLO_DATA_DIR: dataDir })))[0]).toMatch(/^store: [^]*a restore was cut short/);
  });

  test('in a MongoDB: its steps and its clock; a database that is gone', async () => {
    const { uri, foreign, remove } = await openMongoDatabase();
    await foreign.collection('films').insertOne({ _id: crypto.randomUUID(), title: 'of others' } as Document);
    const given = { MONGODB_URI: uri };
    expect(faultsOf(await databaseFindings(read(given)))).toEqual([expect.stringMatching(/^store: .* lacks [1-9]\d* steps$/)]);
    const early = await databaseFindings(read(given, { clock: () => Date.now() - 60_000 }));
    expect(faultsOf(early)).toContainEqual(expect.stringMatching(/^clock of the database: ahead of this one by (59|60) s$/));
    const gone = { MONGODB_URI: `mongodb://127.0.0.1:${freePort()}/shop?serverSelectionTimeoutMS=200` };
    expect(faultsOf(await databaseFindings(read(gone)))).toEqual([expect.stringMatching(/^store: /)]);
    await remove();
  });
});

describe('what listens on the port of the origin', () => {
  test.each([
    ['another program', () => new Response('hello'), 'is no origin'],
    ['an origin that is not ready', (request: Request) =>
      request.url.endsWith('/health')
        ? Response.json({ status: 'ok', engine: 'sqlite', contract: '0' })
        : Response.json({ services: { store: { ready: false, detail: 'gone' }, feed: { ready: true } } }, { status: 503 }),
    'not ready: store (gone)'],
  ])('%s', async (_title, fetch, said) => {
    await using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch });
    expect(faultsOf(await originFindings(read({ TOMBOLO_ORIGIN_PORT: String(server.port) })))).toEqual([expect.stringContaining(said)]);
  });

  test('nothing is nothing wrong', async () => expect(faultsOf(await originFindings(read()))).toEqual([]));
});

describe('the issuer', () => {
  const keyPair = async () => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    return { open: { ...(await exportJWK(publicKey)), kid: 'a' }, whole: { ...(await exportJWK(privateKey)), kid: 'a' } };
  };
  const ask = async (body: unknown, status = 200): Promise<string[]> => {
    await using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => Response.json(body, { status }) });
    return faultsOf(await issuerFindings(read({ TOMBOLO_JWKS_URL: server.url.href }), {}));
  };

  test('with keys that verify is right; each fault is told', async () => {
    const { open, whole } = await keyPair();
    expect(await ask({ keys: [open] })).toEqual([]);
    const cases: readonly (readonly [unknown, number, string])[] = [
      [{ keys: [whole] }, 200, 'key a tells its private half'], [{ keys: [] }, 200, 'has no set of keys'],
      [{ keys: [{ ...open, kid: undefined }] }, 200, 'key 1 has no kid'], [{ keys: [{ ...open, x: '!' }] }, 200, 'key a cannot be read'],
      [{ keys: [{ kty: 'oct', kid: 's' }] }, 200, 'verifies no token'], [{}, 404, 'answers 404'],
    ];
    for (const [body, status, said] of cases) expect(await ask(body, status)).toEqual([expect.stringContaining(said)]);
    const gone = { TOMBOLO_JWKS_URL: `http://127.0.0.1:${freePort()}/` };
    expect(faultsOf(await issuerFindings(read(gone), {}))).toEqual([expect.stringContaining('does not answer')]);
  });
});
