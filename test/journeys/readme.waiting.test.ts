/** README's examples, run as printed: its first commands, its import, its export, its key, and the page that follows a feed. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustKeyRing } from '../../shared/hop/keys.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { onPath, testThat } from '../support/needs.ts';
import { PageEventSource } from '../support/page-event-source.ts';
import { blocksBelow, printedIn, readme, toPattern } from '../support/printed.ts';
import { Program } from '../support/program.ts';

const project = join(import.meta.dir, '../..');
const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-readme-'));
const edgePort = freePort();
const api = `http://127.0.0.1:${edgePort}`;
const metricsPort = freePort();
const env = {
  ...process.env, TOMBOLO_TEST_RUN: undefined, MONGODB_URI: undefined,
  TOMBOLO_DATA_DIR: dataDir, TOMBOLO_EDGE_PORT: String(edgePort),
  TOMBOLO_ORIGIN_PORT: String(freePort()), TOMBOLO_METRICS_PORT: String(metricsPort), TOMBOLO_LOG_LEVEL: 'info',
  TOMBOLO_WEBHOOKS_LOOPBACK: '1',
  TOMBOLO_METRICS_TOKEN: crypto.randomUUID(),
};
const program = new Program([process.execPath, 'run', 'start'], { cwd: project, env });

beforeAll(async () => {
  await program.says(/^tombolo ready:/m);
  // The edge stores nothing until it has heard of the feed.
  await eventually(
    'answers are stored',
    async () => (await fetch(`${api}/v2/films?limit=1`)).headers.get('cache-status')?.includes('stored'),
    { everyMs: 100 },
  );
}, 60_000);
afterAll(async () => {
  program.signal('SIGTERM');
  await program.ended();
  rmSync(dataDir, { recursive: true, force: true });
});

function run(command: readonly string[], variables: Readonly<Record<string, string>> = {}): string {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], { cwd: project, env: { ...env, ...variables }, stderr: 'pipe' });
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${exitCode} ${stderr.toString()}`);
  return stdout.toString();
}

/** Runs the blocks in one shell, since one sets what the next uses, with this test's port and folder. */
function runAsPrinted(blocks: readonly string[]): string {
  const script = blocks.join('\n').replaceAll('http://127.0.0.1:8787', api).replaceAll(/(?<!\/)\.tombolo\//g, `${dataDir}/`)
    .replaceAll('127.0.0.1:9464', `127.0.0.1:${metricsPort}`);
  // The line of `sqlite3` stands beside another for machines without it.
  return run(['bash', '-ec', Bun.which('sqlite3') === null ? script.replace(/^sqlite3 .*$/m, '') : script]);
}

test('each command asks for what is printed: brackets of a query are no pattern of curl', () => {
  const asked = readme.split('\n').filter((line) => /curl .*\[\w+\]=/.test(line));
  expect(asked.length).toBeGreaterThan(0);
  for (const line of asked) expect(line).toMatch(/curl -\w*g/);
});

const shellTest = testThat(onPath('npm'), onPath('curl'), onPath('bash'));

shellTest('what is asked of data answers as printed', () => {
  const headings = [
    '### Beside an index', '### Aggregates', '### Text', '### Places on the map', '### Related documents', '### Everything out',
  ];
  for (const heading of headings) {
    const shells = blocksBelow(heading, 'sh');
    const output = runAsPrinted(shells);
    const beside = [...blocksBelow(heading, 'json'), ...blocksBelow(heading, '')].flatMap((block) => block.split(/\n(?=\{)/));
    const printed = [...shells.flatMap(printedIn).filter((each) => each !== ''), ...beside];
    expect(printed.length).toBeGreaterThan(0);
    for (const each of printed) expect(output).toMatch(toPattern(each));
  }
});

shellTest('a newcomer signs up, reviews and signs out as printed', () => {
  const output = runAsPrinted(blocksBelow('### People', 'sh'));
  for (const said of [
    'open the link in the mail', '{"status":true,"user":null}', '"status":"draft","rating":4', '"token":"sha256.', '{"success":true}',
    '"email":"edith@example.com","emailVerified":true', '"expiresIn":300,"refreshToken":"tbr_', 'people:refresh_invalid',
    '"email":"bob@example.com","role":"member"', '"seats":2,"buyer":"grace","status":"placed"',
    '"message":"Verification email sent"', '"message":"User deleted"',
  ]) {
    expect(output).toContain(said);
  }
});

shellTest('its first five minutes, its import and its export behind the answer are as printed', () => {
  const headings = ['## Five minutes', '### Import', '### Patches', '### Behind the answer'];
  const output = runAsPrinted(headings.flatMap((heading) => blocksBelow(heading, 'sh')));
  for (const said of [
    'HTTP/1.1 200 OK',
    'cache-status: tombolo; fwd=uri-miss; fwd-status=200; stored',
    'HTTP/1.1 201 Created',
    '"title":"The Third Man"',
    '"year":1948', 'Anton Karas"]', '"Noir"]', '"year":1949',
  ]) {
    expect(output).toContain(said);
  }
  const answers = ['### Import', '### Behind the answer'].flatMap((heading) => blocksBelow(heading, ''));
  for (const printed of [...blocksBelow('## Five minutes', 'json'), ...answers]) {
    expect(output).toMatch(toPattern(printed));
  }
});

shellTest('its unique key, and what its relations hold, answer as printed', () => {
  const shells = ['### Unique keys, and putting by them', '### What is named is there'].flatMap((heading) => blocksBelow(heading, 'sh'));
  const output = runAsPrinted(shells.map((shell) => shell.replaceAll(/^# .*\n(?!# )/gm, '$&echo\n')));
  const printed = shells.flatMap(printedIn);
  expect(printed).toHaveLength(6);
  for (const each of printed) expect(output).toMatch(toPattern(each));
});

shellTest('its job writes the receipt of a paid order', () => {
  const [shell = ''] = blocksBelow('### Jobs', 'sh');
  const output = runAsPrinted([shell.replaceAll(/^(curl .*)$/gm, '$1; echo')]);
  const printed = printedIn(shell);
  expect(printed).toHaveLength(2);
  for (const each of printed) expect(output).toMatch(toPattern(each));
  expect(blocksBelow('### Jobs', 'ts').map((text) => readFileSync(join(project, 'origin/jobs/orders-receipt.ts'), 'utf8').includes(text)))
    .toEqual([true]);
});

shellTest('its workflow ends whole, or leaves nothing behind, is followed and goes on anew, as printed', () => {
  const shells = blocksBelow('### Workflows', 'sh');
  const output = runAsPrinted(shells.map((shell) => shell.replaceAll(/^(curl .*)$/gm, '$1; echo')));
  const printed = shells.flatMap((shell) => printedIn(shell.replace('# 1\n', '')));
  expect(printed).toHaveLength(4);
  expect(output).toContain('\n1\n');
  for (const each of printed) expect(output).toMatch(toPattern(each));
  expect(blocksBelow('### Workflows', 'ts').map((text) => readFileSync(join(project, 'origin/workflows/order.ts'), 'utf8').includes(text)))
    .toEqual([true]);
});

shellTest('its webhook is made, tried, paused and refused as printed', () => {
  const [shell = ''] = blocksBelow('### Webhooks', 'sh');
  const output = runAsPrinted([shell.replaceAll(/(^curl (?:.*\\\n)*.*$)/gm, '$1; echo')]);
  const printed = shell.split('\n').filter((line) => line.startsWith('#')).map((line) => line.slice(2));
  expect(printed).toHaveLength(4);
  for (const each of printed) expect(output).toMatch(toPattern(each));
});

testThat(onPath('node'), onPath('npm'), onPath('curl'), onPath('bash'))('its webhook is received, and proven by its receiver', () => {
  const [, shell = ''] = blocksBelow('### Webhooks', 'sh');
  const printed = printedIn(shell);
  expect(printed).toHaveLength(1);
  expect(runAsPrinted([shell.replaceAll('9000', String(freePort()))])).toMatch(toPattern(printed[0] ?? ''));
});

shellTest('its webhook is proven, taken once, and done', () => {
  const [received = ''] = blocksBelow('### Webhooks in', 'sh');
  const output = runAsPrinted([received.replaceAll(/^(curl .*)$/gm, '$1; echo')]);
  const told = received.split('\n').filter((line) => line.startsWith('#')).map((line) => line.slice(2));
  expect(told).toHaveLength(4);
  for (const each of told) expect(output).toMatch(toPattern(each));
});

shellTest('its history tells who changed what', () => {
  const [history = ''] = blocksBelow('### Who changed what', 'sh');
  const [printed = ''] = blocksBelow('### Who changed what', 'json');
  expect(runAsPrinted([history])).toMatch(toPattern(printed.replaceAll('2026-11-29T17:20:11.482Z', '…').replaceAll(/\n */g, '')));
});

shellTest('its read model tells what the reviews of a film come to', () => {
  const source = readFileSync(join(project, 'origin/hooks/film-ratings.ts'), 'utf8');
  expect(blocksBelow('### Read models', 'ts').map((text) => source.includes(text))).toEqual([true]);
  const [printed = ''] = blocksBelow('### Read models', 'json');
  expect(runAsPrinted(blocksBelow('### Read models', 'sh'))).toMatch(toPattern(printed));
});

shellTest('its metrics answer as printed', () => {
  const output = runAsPrinted(blocksBelow('## Seen', 'sh'));
  const [printed = ''] = blocksBelow('## Seen', '');
  for (const line of printed.trim().split('\n')) expect(output).toMatch(toPattern(line));
});

shellTest('its edge tells its metrics as printed', () => {
  const output = runAsPrinted(blocksBelow('### Metrics of the edge', 'sh'));
  const [printed = ''] = blocksBelow('### Metrics of the edge', '');
  for (const line of printed.trim().split('\n')) expect(output).toMatch(toPattern(line));
});

shellTest('its edge is live and ready as printed', () => {
  const [shell = ''] = blocksBelow('### Live and ready', 'sh');
  expect(runAsPrinted([shell])).toBe(shell.split('\n').map((line) => line.split('# ')[1] ?? '').join(''));
});

shellTest('a refusal has a line in the log as printed', async () => {
  runAsPrinted(blocksBelow('### The log', 'sh'));
  const [printed = ''] = blocksBelow('### The log', '');
  await program.says(toPattern(printed), 5_000);
});

shellTest('its doctor finds nothing wrong, as printed', () => {
  const output = runAsPrinted(blocksBelow('### What is wrong', 'sh'));
  const [printed = ''] = blocksBelow('### What is wrong', '');
  for (const line of printed.trim().split('\n')) expect(output).toMatch(toPattern(line));
});

shellTest('its backup is as printed, and is not put back while it is served from', () => {
  const [take = '', putBack = ''] = blocksBelow('### Backup and restore', 'sh');
  const [printed = ''] = blocksBelow('### Backup and restore', '');
  const output = runAsPrinted([take]);
  expect(output).toMatch(toPattern(printed.replaceAll('.tombolo/', `${dataDir}/`)));
  const [path = ''] = output.split(':');
  expect(() => runAsPrinted([putBack.replace(/\.tombolo\S+/, path)])).toThrow('an origin runs on it');
});

shellTest('what it writes behind the back of Tombolo is seen through it', async () => {
  await eventually('the film is an old one', async () => {
    const { data } = (await (await fetch(`${api}/v2/films?title=The%20Third%20Man`)).json()) as { data: { year: number }[] };
    return data[0]?.year === 1949;
  });
});

test('its key is one, made by Bun or by Node', () => {
  const [, code = ''] = /^ *node -p '(.*)'$/m.exec(readme) ?? [];
  for (const runtime of [process.execPath, ...(Bun.which('node') === null ? [] : ['node'])]) {
    expect(mustKeyRing(run([runtime, '-p', code]).trim())).toHaveLength(1);
  }
});

type Follow = (
  api: string,
  name: string,
  token: () => Promise<string>,
  hear: (type: string, data: { readonly text?: string }) => void,
) => Promise<void>;

const tokenOf = (seconds: number): string =>
  run([process.execPath, 'run', '--silent', 'token', '--sub', 'ada', '--seconds', String(seconds)]).trim();

test('its page follows a feed past the end of a token, and misses nothing', async () => {
  const file = join(dataDir, 'page.mjs');
  writeFileSync(file, `${blocksBelow('### Live', 'js').join('')}\nexport { follow };\n`);
  Object.assign(globalThis, { EventSource: PageEventSource });
  const { follow } = (await import(file)) as { follow: Follow };
  const [short, long] = [tokenOf(4), tokenOf(600)];
  const tokens = [short, long];
  const heard: (string | undefined)[] = [];
  // The page, once left, asks for no more tokens.
  await follow(
    api,
    'reviews',
    () => Promise.resolve(tokens.shift() ?? new Promise<string>(() => undefined)),
    (_type, { text }) => void heard.push(text),
  );
  const write = async (text: string): Promise<void> => {
    const body = JSON.stringify({ film: crypto.randomUUID(), author: 'ada', rating: 5, text });
    const answer = await fetch(`${api}/v2/reviews`, {
      method: 'POST',
      headers: { authorization: `Bearer ${long}`, 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(201);
  };
  await eventually('the feed is open', () => PageEventSource.opened[0]?.inner.state === 'open');
  await write('before');
  await eventually('the ticket is of no more use', () => PageEventSource.opened[0]?.inner.state === 'closed', { msMax: 15_000 });
  await write('between');
  await eventually('a second ticket opens it', () => PageEventSource.opened[1]?.inner.state === 'open', { msMax: 10_000 });
  await write('after');
  await eventually('all three are heard', () => heard.includes('after'));
  expect(heard.filter((text) => text !== undefined)).toEqual(['before', 'between', 'after']);
  await PageEventSource.opened[1]?.inner.close();
}, 60_000);
