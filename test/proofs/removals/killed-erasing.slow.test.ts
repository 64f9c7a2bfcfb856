/** Processes that erase are killed in the midst of it, two at a time: others finish it, and touch nothing else. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OriginContext } from '../../../origin/origin-context.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { eventually } from '../../support/eventually.ts';
import { programsAtOnce } from '../../support/killed-program.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { Program } from '../../support/program.ts';
import { type Engine, engines } from '../../support/whole-world.ts';
import { notes, openNotes } from './declared.ts';

const count = 4_000;
const due = Array.from({ length: count }, (_, n) => `due-${n}`);
const others = ['standing', 'young'];
const inTime = () => ({ deadline: Date.now() + 30_000 });

test.each([...engines])('killed at any moment, erasing goes on where it was, and takes nothing else, on %s', async (engine) => {
  const { place, remove } = await openPlace(engine);
  try {
    await looking(place, put);
    const left: number[] = [];
    for (let kill = 0; kill < 4; kill++) {
      const programs = Array.from({ length: programsAtOnce }, () => startProgram(place));
      await Promise.race(programs.map((program) => program.says(/erased/)));
      await Bun.sleep(Math.random() * 30);
      for (const program of programs) program.signal('SIGKILL');
      await Promise.all(programs.map((program) => program.ended()));
      left.push(await looking(place, remaining));
    }
    // A run in which nobody is killed in the midst of it proves nothing.
    expect(left.some((each) => each > 0 && each < count)).toBe(true);
    expect(left).toEqual([...left].sort((a, b) => b - a));
    const context = await openNotes(place, { erases: true });
    await eventually('all is erased', async () => (await remaining(context)) === 0);
    const { value } = await context.store.many(notes, others, inTime());
    expect(value.map(({ id }) => id).sort()).toEqual(others);
    await context.services.stop(Date.now() + 5_000);
  } finally {
    await remove();
  }
}, 180_000);

async function openPlace(engine: Engine): Promise<{ readonly place: string; remove(): Promise<void> | void }> {
  if (engine === 'sqlite') {
    const place = mkdtempSync(join(tmpdir(), 'tombolo-erasing-'));
    return { place, remove: () => rmSync(place, { recursive: true, force: true }) };
  }
  const { uri, server, remove } = await openControlledDatabase();
  // A transaction that a killed client left open holds what it has written for so long; 60 s unless said.
  server.transactionLifetimeMsMax = 500;
  return { place: uri, remove };
}

function startProgram(place: string): Program {
  return new Program([process.execPath, join(import.meta.dir, 'erasing-program.ts'), place], { cwd: import.meta.dir, env: process.env });
}

async function looking<T>(place: string, look: (context: OriginContext) => Promise<T>): Promise<T> {
  const context = await openNotes(place, { erases: false });
  try {
    return await look(context);
  } finally {
    await context.services.stop(Date.now() + 5_000);
  }
}

async function put({ store }: OriginContext): Promise<void> {
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  const all = [
    ...due.map((id, n): readonly [string, JsonObject] => [id, { n, deletedAt: ago(2) }]),
    ['young', { n: 1, deletedAt: ago(0.5) }], ['standing', { n: 1 }],
  ] as const;
  for (let at = 0; at < all.length; at += 500) {
    const mutations = all.slice(at, at + 500).map(([id, document]) => ({
      resource: notes, id, decide: () => ({ kind: 'put', document }) as const,
    }));
    const { outcomes } = await store.write(mutations, inTime());
    expect(outcomes.filter(({ kind }) => kind !== 'written')).toEqual([]);
  }
}

async function remaining({ store }: OriginContext): Promise<number> {
  return (await store.many(notes, due, inTime())).value.length;
}
