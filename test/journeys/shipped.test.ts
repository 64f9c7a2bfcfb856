/** What is shipped for hosts, in `origin/ship` and the workflows: each by its own tool, and what it runs without the container. */
import { afterAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustEdgeHostSettings } from '../../origin/edge-host/settings.ts';
import { mustSettings } from '../../origin/settings.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { disposedAfterEach } from '../support/disposals.ts';
import { Dockerfile, type Stage } from '../support/dockerfile.ts';
import { freePort } from '../support/free-port.ts';
import { onPath, testThat } from '../support/needs.ts';
import { Program } from '../support/program.ts';
import { pythonProgram } from '../support/python-program.ts';
import { testKeys } from '../support/scripted-origin.ts';

const project = join(import.meta.dir, '../..');
const ship = join(project, 'origin/ship');
const scratch = mkdtempSync(join(tmpdir(), 'tombolo-ship-'));
const disposals = disposedAfterEach();
afterAll(() => rmSync(scratch, { recursive: true, force: true }), 60_000);

const read = (file: string): string => readFileSync(join(ship, file), 'utf8');
const runs = (command: readonly string[]) => {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: project });
  return { code: exitCode, output: `${stdout}${stderr}` };
};

describe('by its tool', () => {
  const hadolint = pythonProgram('hadolint');
  testThat(hadolint)('the Dockerfile', async () => {
    expect(await hadolint.run([join(ship, 'Dockerfile')])).toEqual({ code: 0, output: '' });
  });

  const validate = pythonProgram('kubernetes-validate');
  testThat(validate)('what Kubernetes is given', async () => {
    const { code, output } = await validate.run(['-k', '1.34', '--strict', join(ship, 'kubernetes.yaml')]);
    expect([code, output.match(/ passed /g)?.length]).toEqual([0, 4]);
    writeFileSync(join(scratch, 'wrong.yaml'), read('kubernetes.yaml').replace('minReplicas', 'leastReplicas'));
    expect((await validate.run(['-k', '1.34', '--strict', join(scratch, 'wrong.yaml')])).code).toBe(1);
  });

  // Unknown keys only warn, with the exit code 0. A program that is not here is a failure, so the units are given this machine's.
  testThat(onPath('systemd-analyze'))('the units of systemd', () => {
    for (const unit of ['tombolo-origin.service', 'tombolo-edge.service']) {
      const here = join(scratch, unit);
      writeFileSync(here, read(unit).replaceAll('/opt/tombolo/node_modules/.bin/bun', process.execPath));
      expect(runs(['systemd-analyze', 'verify', here])).toEqual({ code: 0, output: '' });
      expect(runs(['systemd-analyze', 'security', '--offline=true', '--threshold=20', here]).code).toBe(0);
      writeFileSync(here, read(unit).replace('KillMode', 'KilMode'));
      expect(runs(['systemd-analyze', 'verify', here]).output).not.toBe('');
    }
  });

  const brought = join(project, 'node_modules/.cache/tombolo/go');
  const actionlint = Bun.which('actionlint', { PATH: `${brought}:${process.env['PATH']}` });
  testThat({ met: actionlint !== null, what: 'actionlint, which .ci/run brings' })('the workflows', () => {
    const workflows = readdirSync(join(project, '.github/workflows')).map((file) => join(project, '.github/workflows', file));
    expect(runs([actionlint ?? '', '-no-color', ...workflows])).toEqual({ code: 0, output: '' });
  });
});

test.each(['compose.yaml', 'kubernetes.yaml', 'tombolo-origin.service', 'tombolo-edge.service', 'pm2.json', 'Dockerfile'])(
  '%s sets what there is a setting for',
  (file) => {
    const named = Object.fromEntries([...read(file).matchAll(/\bTOMBOLO_[A-Z_]+/g)].map(([name]) => [name, '']));
    expect(Object.keys(named).length).toBeGreaterThan(0);
    expect(toUnknownVariables(named)).toEqual([]);
  },
);

interface Compose {
  readonly services: Readonly<Record<string, {
    readonly build?: { readonly context: string; readonly target: string };
    readonly environment?: Readonly<Record<string, string>>;
  }>>;
}

describe('the settings of compose', () => {
  const { services } = Bun.YAML.parse(read('compose.yaml')) as Compose;
  const required = {
    TOMBOLO_KEYS: testKeys, TOMBOLO_ISSUER: 'https://api.example.com', TOMBOLO_AUDIENCE: 'tombolo',
    TOMBOLO_JWKS_URL: 'http://127.0.0.1:8788/.well-known/jwks.json',
  };
  const ofPeople = {
    TOMBOLO_PEOPLE: 'https://api.example.com', TOMBOLO_PEOPLE_SECRET: 's'.repeat(43), TOMBOLO_SMTP_URL: 'smtps://u:p@mail.example.com',
    TOMBOLO_SMTP_FROM: 'api@example.com', TOMBOLO_CORS_ORIGINS: 'https://app.example.com',
  };
  /** As compose puts in what it is given: `${A:?}` must be there, `${A:-}` may be. */
  const given = (service: string, file: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries({ TOMBOLO_ENV: 'production', ...services[service]?.environment }).map(([name, value]) =>
      [name, value.replaceAll(/\$\{(\w+):[?-]\}/g, (_, variable: string) => file[variable] ?? '')]));

  test('start both with what is required and no more, without people', () => {
    expect(mustSettings(given('origin', required)).people).toBeUndefined();
    expect(mustEdgeHostSettings(given('edge', required), project).variables['TOMBOLO_PEOPLE']).toBe('');
  });

  test('let people be switched on at both, with pages of theirs', () => {
    const file = { ...required, ...ofPeople };
    expect(mustSettings(given('origin', file)).people).toMatchObject({
      url: 'https://api.example.com', pages: ['https://app.example.com'], smtp: { from: 'api@example.com' },
    });
    const { variables } = mustEdgeHostSettings(given('edge', file), project);
    expect(variables).toMatchObject({ TOMBOLO_PEOPLE: 'https://api.example.com', TOMBOLO_CORS_ORIGINS: 'https://app.example.com' });
    expect(Object.keys(variables).filter((name) => /SECRET|SMTP|OIDC/.test(name))).toEqual([]);
  });
});

test('the files of compose and PM2 start what is there', () => {
  const { services } = Bun.YAML.parse(read('compose.yaml')) as Compose;
  const builds = Object.values(services).flatMap(({ build }) => (build === undefined ? [] : [build]));
  expect(builds.map(({ target }) => target)).toEqual(['origin', 'edge']);
  for (const { context, target } of builds) {
    expect(join(ship, context)).toBe(project);
    expect(read('Dockerfile')).toContain(` AS ${target}\n`);
  }
  const { apps } = JSON.parse(read('pm2.json')) as { apps: { script: string; interpreter: string }[] };
  for (const path of apps.flatMap(({ script, interpreter }) => [script, interpreter])) expect(existsSync(join(project, path))).toBe(true);
});

const probeTest = testThat(onPath('curl'), onPath('bash'));

probeTest('a release is taken back at the third failure of the last sixty answers, and not before', async () => {
  let asked = 0;
  const failing = new Set<number>();
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('', { status: failing.has(++asked) ? 503 : 200 }) });
  disposals.push(() => server.stop(true));
  const probe = async () => {
    asked = 0;
    return Bun.spawn(['.ci/probe', `http://127.0.0.1:${server.port}/`, '2'], { cwd: project, stdout: 'ignore' }).exited;
  };
  failing.add(1).add(2);
  expect(await probe()).toBe(0);
  failing.add(3);
  expect(await probe()).toBe(1);
  expect(asked).toBe(3);
}, 30_000);

describe('without the container', () => {
  const file = new Dockerfile(join(ship, 'Dockerfile'), { context: project, scratch });
  const start = ({ dir, env, entrypoint: [, ...parameters] }: Stage, variables: Readonly<Record<string, string>>) => {
    const program = new Program([process.execPath, ...parameters], {
      cwd: dir, env: { PATH: process.env['PATH'], HOME: scratch, ...env, TOMBOLO_DATA_DIR: join(scratch, 'data'), ...variables },
    });
    disposals.push(() => program.kill());
    return program;
  };
  const health = ({ dir, env, healthcheck: [, ...parameters] }: Stage, variables: Readonly<Record<string, string>>) =>
    Bun.spawnSync([process.execPath, ...parameters], { cwd: dir, env: { ...env, ...variables } }).exitCode;

  test('what the images are made of is let through to their builder', () => {
    const through = read('Dockerfile.dockerignore').split('\n').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(file.copied.filter((path) => !through.includes(path))).toEqual([]);
  });

  test('the image of the origin has what it needs: it serves, is healthy, and stops', async () => {
    const stage = file.carryOut('origin');
    const variables = { TOMBOLO_KEYS: testKeys, TOMBOLO_EDGE_URLS: 'https://api.example.com', TOMBOLO_ORIGIN_PORT: String(freePort()) };
    expect(health(stage, variables)).toBe(1);
    const program = start(stage, variables);
    await program.says(/listening on port/);
    expect(health(stage, variables)).toBe(0);
    program.signal('SIGTERM');
    expect((await program.ended()).code).toBe(0);
    expect(runs(['du', '-sm', join(stage.dir, 'node_modules')]).output).toMatch(/^\d\d\t/);
  }, 60_000);

  test('the image of the edge has what it needs', async () => {
    const stage = file.carryOut('edge');
    const variables = {
      TOMBOLO_KEYS: testKeys, TOMBOLO_EDGE_PORT: String(freePort()), TOMBOLO_ORIGIN_URL: 'https://origin.example.com',
      TOMBOLO_ISSUER: 'https://login.example.com/', TOMBOLO_AUDIENCE: 'tombolo', TOMBOLO_JWKS_URL: 'https://login.example.com/jwks',
    };
    const program = start(stage, variables);
    await program.says(/^tombolo edge listening on /m);
    expect(health(stage, variables)).toBe(0);
    const docs = await fetch(`http://127.0.0.1:${variables.TOMBOLO_EDGE_PORT}/v2/openapi.json`);
    expect(docs.status).toBe(200);
    program.signal('SIGTERM');
    expect((await program.ended()).code).toBe(0);
  }, 120_000);
});
