/** Index builds of a minute under the bounds that Tombolo has unless told: a start and an apply wait for them, at once. */
import * as z from 'zod';
import { applyPlan, planOf } from '../../origin/store/mongo/install/plan.ts';
import { openMongoStore } from '../../origin/store/mongo/mongo-store.ts';
import { withTarget } from '../../origin/store/mongo/planning.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { openControlledDatabase } from '../support/mongo-database.ts';
import type { Budget, Outcome } from './parts.ts';

const boats = resource({
  name: 'boats', id: 'objectId', schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { byName: { sort: ['name'] } },
});
const buildMs = 60_000;

export async function slowBuilds(_budget: Budget): Promise<Outcome> {
  const [start, apply] = await Promise.all([timed(startOnce), timed(applyOnce)]);
  const tooSoon = [start, apply].filter(({ ms }) => ms < buildMs).map(({ ms }) => `nothing was waited for: ${ms} ms`);
  return { figures: { buildMs, startMs: start.ms, applyMs: apply.ms }, violations: [...start.missing, ...apply.missing, ...tooSoon] };
}

/** What is not there when it says that it is done; what fails throws. */
type Missing = readonly string[];

async function timed(run: (uri: string) => Promise<Missing>): Promise<{ readonly ms: number; readonly missing: Missing }> {
  const { server, uri, foreign, remove } = await openControlledDatabase();
  try {
    // In the one whose collection others made, a start makes nothing.
    if (run === applyOnce) await foreign.collection('boats').insertOne({ name: 'Fram' });
    const slow = { failCommands: ['createIndexes'], appName: 'tombolo', blockConnection: true, blockTimeMS: buildMs };
    server.failPoint('failCommand', { times: 1 }, slow);
    const begun = performance.now();
    const missing = await run(uri);
    return { ms: Math.round(performance.now() - begun), missing };
  } finally {
    await remove();
  }
}

async function startOnce(uri: string): Promise<Missing> {
  const store = await openMongoStore({ uri, resources: [boats] });
  const { pending } = store.state();
  await store.close();
  return pending;
}

async function applyOnce(uri: string): Promise<Missing> {
  await withTarget({ uri, resources: [boats], isWritten: true }, (target) => applyPlan(target, 'e'.repeat(16), () => undefined));
  return (await withTarget({ uri, resources: [boats], isWritten: false }, planOf)).map(({ name }) => name);
}
