/** `npm start` and `bun run start` as a person meets them: ready, stopped, killed, started again. */
import { afterEach, describe, expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning } from '../../origin/dev/processes.ts';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { MongoProgram } from '../support/mongo-program.ts';
import { onPath, testThat } from '../support/needs.ts';
import { processesUnder, Program } from '../support/program.ts';

const project = join(import.meta.dir, '../..');
const launchers = { npm: ['npm', 'start'], bun: [process.execPath, 'run', 'start'] } as const;
/** What is about npm is left out on a machine without Node. */
const startTest = { npm: testThat(onPath('npm')), bun: test } as const;

/** One data dir with two ports; started as often as a test wants. */
class Place {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'tombolo-start-'));
  readonly edgePort = freePort();
  readonly originPort = freePort();
  readonly programs: Program[] = [];

  /** The variables without `MONGODB_URI`: that is where tests make databases, and no store of a person. */
  get env(): Readonly<Record<string, string | undefined>> {
    return {
      ...process.env, MONGODB_URI: undefined, TOMBOLO_DATA_DIR: this.dataDir, TOMBOLO_EDGE_PORT: String(this.edgePort),
      TOMBOLO_ORIGIN_PORT: String(this.originPort),
    };
  }

  start(launcher: keyof typeof launchers = 'bun', more: Readonly<Record<string, string>> = {}): Program {
    return this.run(launchers[launcher], more);
  }

  run(command: readonly string[], more: Readonly<Record<string, string>> = {}): Program {
    const program = new Program(command, {
      cwd: project,
      env: { ...this.env, CI: undefined, ...more },
    });
    this.programs.push(program);
    return program;
  }

  async films(query = 'limit=200'): Promise<{ title: string }[]> {
    const response = await fetch(`http://127.0.0.1:${this.edgePort}/v2/films?${query}`);
    if (response.status !== 200) throw new Error(`answered ${response.status}: ${await response.text()}`);
    return ((await response.json()) as { data: { title: string }[] }).data;
  }

  /** The processes that `run.json` names. */
  recorded(): { supervisor: { pid: number; startedAt: string }; edges: { pid: number; startedAt: string }[] } {
    return JSON.parse(readFileSync(join(this.dataDir, 'run.json'), 'utf8')) as ReturnType<Place['recorded']>;
  }

  async nothingLeft(): Promise<void> {
    await eventually('no process is left', () => {
      const left = processesUnder(this.dataDir);
      if (left.length > 0) throw new Error(JSON.stringify(left));
      return true;
    });
  }

  async close(): Promise<void> {
    for (const program of this.programs) await program.kill();
    for (const { pid } of processesUnder(this.dataDir)) process.kill(pid, 'SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** A reader of the feed of reviews, which has heard its first words. */
async function readFeed(edgePort: number): Promise<EventStream> {
  const url = `http://127.0.0.1:${edgePort}/v2/reviews/changes`;
  const stream = new EventStream(await fetch(url, { headers: { accept: 'text/event-stream' } }));
  await stream.heardFrom();
  return stream;
}

/** The name of the last event before the stream's end. Throws when the connection is cut. */
async function lastName(stream: EventStream): Promise<string | undefined> {
  let last: string | undefined;
  for (let event = await stream.next(); event !== undefined; event = await stream.next()) last = event.name;
  return last;
}

const ready = /^tombolo ready: (\S+)$/m;

describe('start', () => {
  let place: Place;
  const open = (): Place => (place = new Place());
  afterEach(() => place.close());

  test('says where it is ready, seeds an empty store with the sample and gives a command that works', async () => {
    const program = open().start();
    const [, url] = await program.says(ready);
    expect(url).toBe(`http://127.0.0.1:${place.edgePort}`);
    const [, command = ''] = await program.says(/^try: {2}(curl .*)$/m);
    const example = /'([^']+)'/.exec(command)?.[1] ?? '';
    const { data } = (await (await fetch(example)).json()) as { data: unknown[] };
    expect(data).toHaveLength(3);
    expect((await place.films()).length).toBeGreaterThan(150);
    program.signal('SIGTERM');
    await program.ended();
  });

  for (const launcher of ['npm', 'bun'] as const) {
    for (const [kind, ask] of [
      ['SIGTERM', (program: Program) => program.signal('SIGTERM')],
      ['SIGINT', (program: Program) => program.signal('SIGINT')],
      ['Ctrl-C', (program: Program) => program.interrupt()],
    ] as const) {
      startTest[launcher](`ends on ${kind} sent to ${launcher} within ten seconds and leaves no process`, async () => {
        const program = open().start(launcher);
        await program.says(ready);
        expect(processesUnder(place.dataDir).some(({ command }) => command.includes('workerd'))).toBe(true);
        ask(program);
        const { ms } = await program.ended(10_000);
        expect(ms).toBeLessThan(10_000);
        await place.nothingLeft();
        expect(program.output).toContain('tombolo stops');
      });
    }
  }

  test('lets streams end in order at Ctrl-C, which a terminal sends to workerd too', async () => {
    const program = open().start();
    await program.says(ready);
    const stream = await readFeed(place.edgePort);
    program.interrupt();
    expect(await lastName(stream)).toBe('reconnect');
    await program.ended(10_000);
    await place.nothingLeft();
  });

  test('lets streams end in order within ten seconds of SIGTERM, also when workerd is slow to pass their ends on', async () => {
    const program = open().start();
    await program.says(ready);
    const stream = await readFeed(place.edgePort);
    const [edge] = place.recorded().edges;
    if (edge === undefined) throw new Error('no workerd is recorded');
    process.kill(edge.pid, 'SIGSTOP');
    program.signal('SIGTERM');
    await program.says(/^tombolo stops/m);
    // Long enough for an origin to end; one that takes longer leaves less to be shown.
    await Bun.sleep(500);
    process.kill(edge.pid, 'SIGCONT');
    expect(await lastName(stream)).toBe('reconnect');
    expect((await program.ended(10_000)).code).toBe(0);
    await place.nothingLeft();
  });

  testThat(onPath('python3'))('lets streams end in order when Ctrl-C is typed on a terminal', async () => {
    // Python's pty gives its child a terminal of its own; what is written to that is as typed.
    const typing = [
      'import os,pty,sys,time', 'pid,fd=pty.fork()', 'if pid==0: os.execvp(sys.argv[2],sys.argv[2:])',
      'while True:', '  try: out=os.read(fd,4096)', '  except OSError: break', '  if not out: break',
      '  sys.stdout.buffer.write(out); sys.stdout.flush()', '  if b"tombolo ready" in out:',
      '    while not os.path.exists(sys.argv[1]): time.sleep(0.02)', '    os.write(fd,b"\\x03")',
      'sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid,0)[1]))',
    ].join('\n');
    place = new Place();
    const typed = join(place.dataDir, 'type-now');
    const program = place.run(['python3', '-c', typing, typed, ...launchers.bun]);
    await program.says(/tombolo ready: \S+/);
    const stream = await readFeed(place.edgePort);
    writeFileSync(typed, '');
    expect(await lastName(stream)).toBe('reconnect');
    expect((await program.ended(10_000)).code).toBe(0);
    await place.nothingLeft();
  });

  test('tells all wrong settings at once, those of the edge too, and names what is misspelt', async () => {
    const program = open().start('bun', {
      TOMBOLO_MEMO_MS: 'abc', TOMBOLO_CORS_ORIGINS: 'localhost:3000', TOMBOLO_ANONYMOUS_PLAN: 'gold', TOMBOLO_LOG_LEVEL: 'loud',
      TOMBOLO_ORIGIN_PROT: '1',
    });
    const { code, ms } = await program.ended();
    expect(code).toBe(78);
    expect(ms).toBeLessThan(10_000);
    const lines = program.output.trimEnd().split('\n').filter((line) => !/^\$ |^error: script|EDGE_BUNDLE|TEST_RUN/.test(line));
    expect(lines).toHaveLength(6);
    expect(program.output).toContain('TOMBOLO_ORIGIN_PROT: no setting has this name; did you mean TOMBOLO_ORIGIN_PORT?');
    expect(program.output).toMatch(
      /^tombolo cannot start: 4 mistakes in the settings:(\n  TOMBOLO_(CORS_ORIGINS|MEMO_MS|ANONYMOUS_PLAN|LOG_LEVEL): .*){4}$/m,
    );
    for (const value of ['abc', 'localhost', 'gold', 'loud']) expect(program.output).not.toContain(value);
  });

  test('ends the workerd that kill -9 left, takes its port again, and has the data', async () => {
    const killed = open().start();
    await killed.says(ready);
    const titles = (await place.films()).map(({ title }) => title);
    const { supervisor, edges } = place.recorded();
    process.kill(supervisor.pid, 'SIGKILL');
    await killed.ended();
    expect(edges.map(isRunning)).toEqual([true]);
    const again = place.start();
    await again.says(ready);
    expect(again.output).toContain('ended the workerd that a killed run had left');
    expect(edges.map(isRunning)).toEqual([false]);
    expect((await place.films()).map(({ title }) => title)).toEqual(titles);
    expect(again.output).not.toContain('put its sample');
  });

  test('starts workerd again when that dies alone', async () => {
    const program = open().start();
    await program.says(ready);
    const [edge] = place.recorded().edges;
    if (edge === undefined) throw new Error('no workerd is recorded');
    process.kill(edge.pid, 'SIGKILL');
    await eventually('an answer', async () => (await place.films('limit=1')).length === 1);
    expect(place.recorded().edges.map(({ pid }) => pid)).not.toContain(edge.pid);
  });

  test('names port and variable when another program has the port, and leaves that program alone', async () => {
    for (const variable of ['TOMBOLO_EDGE_PORT', 'TOMBOLO_ORIGIN_PORT'] as const) {
      const other = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('mine') });
      const program = (place = new Place()).start('bun', { [variable]: String(other.port) });
      const { code } = await program.ended();
      expect(code).toBe(78);
      expect(program.output).toContain(`tombolo cannot start: ${variable}: port ${other.port} is in use by another program`);
      expect(await (await fetch(`http://127.0.0.1:${other.port}`)).text()).toBe('mine');
      await other.stop(true);
      await place.nothingLeft();
      if (variable === 'TOMBOLO_EDGE_PORT') await place.close();
    }
  });

  test('refuses a second start on the same data dir while the first one goes on', async () => {
    const first = open().start();
    await first.says(ready);
    const second = place.start('bun', { TOMBOLO_EDGE_PORT: String(freePort()), TOMBOLO_ORIGIN_PORT: String(freePort()) });
    expect((await second.ended()).code).toBe(78);
    expect(second.output).toContain('TOMBOLO_DATA_DIR');
    expect((await place.films('limit=1')).length).toBe(1);
  });

  test('leaves the store empty with TOMBOLO_SEED=0', async () => {
    const program = open().start('bun', { TOMBOLO_SEED: '0' });
    await program.says(ready);
    expect(await place.films()).toEqual([]);
  });

  test('stores in MongoDB when it is told where one is, and finds everything again', async () => {
    const mongo = await MongoProgram.start();
    const first = open().start('bun', { MONGODB_URI: mongo.uri, TOMBOLO_SEED: '1' });
    await first.says(ready);
    const films = await place.films('limit=3');
    expect(films).toHaveLength(3);
    first.signal('SIGTERM');
    await first.ended();
    const second = place.start('bun', { MONGODB_URI: mongo.uri });
    await second.says(ready);
    expect(await place.films('limit=3')).toEqual(films);
    second.signal('SIGTERM');
    await second.ended();
    await mongo.close();
  });

  test('says what is wrong when no MongoDB answers, and leaves nothing', async () => {
    const program = open().start('bun', { MONGODB_URI: `mongodb://127.0.0.1:${freePort()}/shop` });
    expect((await program.ended()).code).toBe(78);
    expect(program.output).toContain('no primary answered');
    await place.nothingLeft();
  });

  test("keeps what it writes for its owner's eyes alone, also in a directory that others may read", async () => {
    chmodSync(open().dataDir, 0o755);
    const program = place.start();
    await program.says(ready);
    await place.films();
    const files = readdirSync(place.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    for (const part of ['tombolo.sqlite', 'tombolo.sqlite-wal', 'tombolo.sqlite-shm', 'writer.lock', 'edge-state/']) {
      expect(files.some((file) => file.includes(part))).toBe(true);
    }
    expect(files.filter((file) => (statSync(file).mode & 0o077) !== 0)).toEqual([]);
  });

  test('mints a token, alone on its line, that the running edge accepts', async () => {
    const program = open().start();
    await program.says(ready);
    const minted = Bun.spawnSync([process.execPath, 'run', '--silent', 'token', '--sub', 'alice', '--role', 'editor', '--tenant', 'acme'], {
      cwd: project, env: place.env,
    });
    const token = minted.stdout.toString().trimEnd();
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const response = await fetch(`http://127.0.0.1:${place.edgePort}/v2/films`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Minted', year: 2001 }),
    });
    expect(response.status).toBe(201);
  });
});
