import { afterAll, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenOf, isRunning, nameOf, type ProcessName } from '../../../../origin/dev/processes.ts';
import { AlreadyRunning, openRunRecord } from '../../../../origin/dev/run-record.ts';

const dirs: string[] = [];
const newDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-run-'));
  dirs.push(dir);
  return dir;
};
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));

const sleeper = (): Bun.Subprocess =>
  Bun.spawn([process.execPath, '-e', 'setInterval(() => {}, 60_000)'], { stdio: ['ignore', 'ignore', 'ignore'] });
const mustName = (pid: number): ProcessName => {
  const named = nameOf(pid);
  if (named === undefined) throw new Error(`process ${pid} does not run`);
  return named;
};
const leaveRecord = (dir: string, supervisor: ProcessName, edges: readonly ProcessName[]): void =>
  writeFileSync(join(dir, 'run.json'), JSON.stringify({ supervisor, edges }));

test('ends the orphan that a killed run left, and nothing else', async () => {
  const [orphan, bystander, dir] = [sleeper(), sleeper(), newDir()];
  leaveRecord(dir, { pid: 1, startedAt: 'never' }, [mustName(orphan.pid)]);
  const { ended } = await openRunRecord(dir);
  expect(ended).toBe(1);
  expect(await orphan.exited).toBe(137);
  expect(isRunning(mustName(bystander.pid))).toBe(true);
  bystander.kill('SIGKILL');
});

test('leaves alone a process that has the recorded pid but another start time', async () => {
  const [stranger, dir] = [sleeper(), newDir()];
  leaveRecord(dir, { pid: 1, startedAt: 'never' }, [{ pid: stranger.pid, startedAt: 'some other time' }]);
  expect((await openRunRecord(dir)).ended).toBe(0);
  expect(isRunning(mustName(stranger.pid))).toBe(true);
  stranger.kill('SIGKILL');
});

test('refuses a data dir that a running start holds, and ends nothing of it', async () => {
  const [supervisor, edge, dir] = [sleeper(), sleeper(), newDir()];
  leaveRecord(dir, mustName(supervisor.pid), [mustName(edge.pid)]);
  await expect(openRunRecord(dir)).rejects.toThrow(AlreadyRunning);
  expect(isRunning(mustName(edge.pid))).toBe(true);
  supervisor.kill('SIGKILL');
  edge.kill('SIGKILL');
});

test('starts over a record that a crash cut in half', async () => {
  const dir = newDir();
  writeFileSync(join(dir, 'run.json'), '{"supervisor":{"pi');
  const { record } = await openRunRecord(dir);
  const child = sleeper();
  record.noteEdges(childrenOf(process.pid, 'bun'));
  expect(readFileSync(join(dir, 'run.json'), 'utf8')).toContain(String(child.pid));
  record.remove();
  expect((await openRunRecord(dir)).ended).toBe(0);
  child.kill('SIGKILL');
});
