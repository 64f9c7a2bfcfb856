/**
 * The steps of the release workflow that put a version before callers and take it back, run as they stand there. `npx` and
 * `kubectl` write down what they are told, since neither Cloudflare nor a cluster is here; all else is real, the probe too.
 */
import { afterAll, expect } from 'bun:test';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath, testThat } from '../support/needs.ts';

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps?: readonly { readonly name?: string; readonly run?: string }[] }>>;
}

const project = join(import.meta.dir, '../..');
const workflow = Bun.YAML.parse(readFileSync(join(project, '.github/workflows/release.yml'), 'utf8')) as Workflow;
const scratch = mkdtempSync(join(tmpdir(), 'tombolo-release-'));
const [told, output] = [join(scratch, 'told'), join(scratch, 'output')];
afterAll(() => rmSync(scratch, { recursive: true }));

/** Programs of the step, each as a script of bash. */
function place(programs: Readonly<Record<string, string>>): void {
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(scratch, name), `#!/usr/bin/env bash\necho "$*" >> '${told}'\n${body}\n`);
    chmodSync(join(scratch, name), 0o755);
  }
}

async function runStep(job: string, name: string, env: Readonly<Record<string, string>>) {
  const step = workflow.jobs[job]?.steps?.find((each) => each.name === name);
  if (step?.run === undefined) throw new Error(`no step "${name}" of ${job}`);
  for (const file of [told, output]) rmSync(file, { force: true });
  const path = `${scratch}:${process.env['PATH']}`;
  // As GitHub runs it, but that the probe looks for seconds: three failures end it before.
  const child = Bun.spawn(['bash', '-eo', 'pipefail', '-c', step.run.replaceAll(/(\.ci\/probe "\$PROBED_URL") \d+/g, '$1 3')], {
    cwd: project, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore',
    env: { ...process.env, ...env, PATH: path, RUNNER_TEMP: scratch, GITHUB_OUTPUT: output, GITHUB_REF_NAME: 'v2' },
  });
  const code = await child.exited;
  return { code, told: existsSync(told) ? readFileSync(told, 'utf8').trimEnd().split('\n') : [] };
}

const stepTest = testThat(onPath('bash'), onPath('curl'), onPath('jq'));
const byDegrees = 'Ten of a hundred, then all; back at the first failure';
const [ten, all, back] = [
  'wrangler versions deploy new@10% old@90% --yes', 'wrangler versions deploy new@100% --yes', 'wrangler versions deploy old@100% --yes',
];

/** Answers until `breaks` holds of what was told. */
async function goByDegrees(breaks: (done: string) => boolean, npx = '') {
  place({ npx });
  const done = () => (existsSync(told) ? readFileSync(told, 'utf8') : '');
  await using server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('', { status: breaks(done()) ? 503 : 200 }) });
  return await runStep('edge', byDegrees, { OLD: 'old', NEW: 'new', PROBED_URL: `http://127.0.0.1:${server.port}/` });
}

stepTest('an edge that does well goes to ten of a hundred, then to all', async () => {
  expect(await goByDegrees(() => false)).toEqual({ code: 0, told: [ten, all] });
});

stepTest('an edge that fails is taken back, at ten of a hundred, at all, and where a deploy itself fails', async () => {
  expect(await goByDegrees((done) => done.includes('new@10%'))).toEqual({ code: 1, told: [ten, back] });
  expect(await goByDegrees((done) => done.includes('new@100%'))).toEqual({ code: 1, told: [ten, all, back] });
  expect(await goByDegrees(() => false, '[[ $* != *new@* ]]')).toEqual({ code: 1, told: [ten, back] });
});

stepTest('what is live and what was uploaded are named to the next step', async () => {
  place({
    npx: `case $* in
      *status*) echo '{"versions":[{"version_id":"canary","percentage":10},{"version_id":"live","percentage":90}]}' ;;
      *upload*) echo '{"type":"version-upload","version_id":"made"}' >> "$WRANGLER_OUTPUT_FILE_PATH" ;;
    esac`,
  });
  const { code } = await runStep('edge', 'Upload, for nobody yet', { WRANGLER_OUTPUT_FILE_PATH: join(scratch, 'wrangler.ndjson') });
  expect([code, readFileSync(output, 'utf8')]).toEqual([0, 'old=live\nnew=made\n']);
});

stepTest('origins that do not get ready are undone', async () => {
  const roll = 'One after another, back if they do not get ready';
  const image = { IMAGE: 'registry.example.com/tombolo', KUBE: 'a file' };
  const set = 'set image deployment/tombolo-origin origin=registry.example.com/tombolo:v2';
  const status = 'rollout status deployment/tombolo-origin --timeout=15m';
  place({ kubectl: '' });
  expect(await runStep('origin', roll, image)).toEqual({ code: 0, told: [set, status] });
  place({ kubectl: '[[ $* != *status* ]]' });
  expect(await runStep('origin', roll, image)).toEqual({ code: 1, told: [set, status, 'rollout undo deployment/tombolo-origin'] });
});
