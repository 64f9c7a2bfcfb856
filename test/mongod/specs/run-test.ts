import { Entities } from './entities.ts';
import { expectEvents } from './expect-events.ts';
import { dropDatabases, expectOutcome, fillInitialData } from './data.ts';
import { testMsMax } from './limits.ts';
import { must, show } from './mismatch.ts';
import { runOperation } from './run-operation.ts';
import type { Operation, Suite, TestCase } from './schema.ts';
import type { Target } from './target.ts';

/** Runs one test from initial data to outcome; throws what was not as expected. Leaves no client and no fail point behind. */
export async function runTest(suite: Suite, test: TestCase, target: Target): Promise<void> {
  const entities = new Entities(target);
  const errorsBefore = target.errors().length;
  try {
    await within(testMsMax, runSteps(suite, test, { entities, target }));
    const own = target.errors().slice(errorsBefore);
    must(own.length === 0, 'server', () => `owned up to ${show(own)}`);
  } finally {
    await turnFailPointsOff(test.operations, target);
    await entities.close();
  }
}

async function runSteps(suite: Suite, test: TestCase, scene: { readonly entities: Entities; readonly target: Target }): Promise<void> {
  const { entities, target } = scene;
  await endAllSessions(target);
  if (suite.initialData === undefined) await dropDatabases(suite.createEntities ?? [], target);
  await fillInitialData(suite.initialData ?? [], target);
  await entities.create(suite.createEntities ?? []);
  for (const operation of test.operations) await runOperation(operation, scene);
  entities.stopObserving();
  for (const expectation of test.expectEvents ?? []) expectEvents(expectation, entities);
  await expectOutcome(test.outcome ?? [], { target, scope: entities });
}

/** A test that failed half way may have left a transaction open, and its locks with it. A server that cannot is left as it is. */
async function endAllSessions({ internal }: Target): Promise<void> {
  await internal.db('admin').command({ killAllSessions: [] }).catch(() => undefined);
}

async function turnFailPointsOff(operations: readonly Operation[], { internal }: Target): Promise<void> {
  const names = new Set(operations.flatMap(({ arguments: fields = {} }) => failPointName(fields['failPoint'])));
  for (const name of names) await internal.db('admin').command({ configureFailPoint: name, mode: 'off' });
}

function failPointName(failPoint: unknown): string[] {
  if (typeof failPoint !== 'object' || failPoint === null || !('configureFailPoint' in failPoint)) return [];
  return [String(failPoint.configureFailPoint)];
}

/** The work goes on after the bound, into clients that are then closed; its late error has no one left to tell. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done within ${ms} ms`)), ms);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
