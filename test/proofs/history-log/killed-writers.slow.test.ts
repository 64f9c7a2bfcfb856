/** Programs that change logged documents are killed at random moments, two at a time: the log is that of the feed, event by event. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { KilledProgram, openStage, programsAtOnce } from '../../support/killed-program.ts';
import { behind, linked, logged } from '../../support/logged-contract.ts';
import { Random } from '../../support/random.ts';
import { brokenIn, changesOf, eventsOf, replayed, stepsOf } from '../../support/replayed-log.ts';
import { engines } from '../../support/whole-world.ts';

const kills = 6;

test.each([...engines])('killed at random moments, each committed change is in the log once, and no other is, on %s', async (engine) => {
  const stage = await openStage(engine);
  try {
    const before = await DirectOrigin.open(stage.variables, logged);
    const from = await before.context.store.head();
    await before[Symbol.asyncDispose]();
    const seed = Date.now();
    const random = new Random(seed);
    const programFile = join(import.meta.dir, 'writing-program.ts');
    // A run in which nothing happens proves nothing: on a busy machine it goes on until each resource has changed often enough.
    const changedEnough = async () => {
      // With the programs' own: a start without would no longer log what their hooks are told of, and the next would begin an epoch.
      await using origin = await DirectOrigin.open(stage.variables, logged, { ...behind, isOneOfSeveral: true });
      const counts = await Promise.all(linked.map(async (resource) => (await eventsOf(origin.context.store, resource)).length));
      return counts.every((count) => count > kills);
    };
    for (let kill = 0; kill < kills || !await changedEnough(); kill++) {
      const programs = Array.from({ length: programsAtOnce }, () =>
        new KilledProgram(programFile, [stage.place, String(random.below(2 ** 31))]));
      await Promise.all(programs.map((program) => program.writes()));
      await Bun.sleep(random.below(300));
      await Promise.all(programs.map((program) => program.kill9()));
    }
    await using origin = await DirectOrigin.open(stage.variables, logged);
    const { store } = origin.context;
    for (const resource of linked) {
      const events = await eventsOf(store, resource);
      expect({ seed, feed: await changesOf(store, resource, from) }).toEqual({ seed, feed: stepsOf(events) });
      expect({ seed, broken: brokenIn(events) }).toEqual({ seed, broken: [] });
      const ids = [...new Set(events.map(({ document }) => document))];
      const { value } = await store.many(resource, ids, { deadline: Date.now() + 10_000 });
      const documents = Object.fromEntries(value.map((document) => [document.id, document.value]));
      expect({ seed, ...replayed(events) }).toEqual({ seed, ...documents });
    }
  } finally {
    await stage.remove();
  }
}, 240_000);
