import type { Entities } from './entities.ts';
import { expectError } from './expect-error.ts';
import { match } from './match.ts';
import { Mismatch, show } from './mismatch.ts';
import type { Handler, Handlers } from './operations/call.ts';
import { collectionOperations } from './operations/collection.ts';
import { cursorOperations } from './operations/cursor.ts';
import { databaseOperations } from './operations/database.ts';
import { sessionOperations } from './operations/session.ts';
import { testRunnerOperations } from './operations/test-runner.ts';
import type { Fields, Operation } from './schema.ts';
import type { Target } from './target.ts';

const handlers: Handlers = {
  ...collectionOperations,
  ...databaseOperations,
  ...sessionOperations,
  ...cursorOperations,
  ...testRunnerOperations,
};

type Scene = { readonly entities: Entities; readonly target: Target };

type Outcome = { readonly result: unknown } | { readonly error: unknown };

/** Runs one operation and holds its result or error against what the test expects. */
export async function runOperation(operation: Operation, scene: Scene): Promise<void> {
  await runAndExpect(operation, scene);
}

/** Inside a transaction's callback the driver must see the error that the test expected, to retry or to give up. */
async function runInCallback(operation: Operation, scene: Scene): Promise<void> {
  const outcome = await runAndExpect(operation, scene);
  if ('error' in outcome) throw outcome.error;
}

async function runAndExpect(operation: Operation, scene: Scene): Promise<Outcome> {
  const outcome = await settle(operation, scene);
  if (!operation.ignoreResultAndError) expectAsWritten(operation, outcome, scene);
  return outcome;
}

function expectAsWritten(operation: Operation, outcome: Outcome, scene: Scene): void {
  const at = operation.name;
  if (operation.expectError !== undefined) {
    if (!('error' in outcome)) throw new Mismatch(at, `expected an error, got ${show(outcome.result)}`);
    return expectError(operation.expectError, outcome.error, { at, scope: scene.entities });
  }
  if ('error' in outcome) throw outcome.error;
  if ('expectResult' in operation) {
    match({ expected: operation.expectResult, actual: outcome.result, root: true, at, scope: scene.entities });
  }
  if (operation.saveResultAsEntity !== undefined) scene.entities.save(operation.saveResultAsEntity, outcome.result);
}

async function settle(operation: Operation, scene: Scene): Promise<Outcome> {
  const handler = mustFindHandler(operation.name);
  const args = resolveSession(operation.arguments ?? {}, scene.entities);
  try {
    return { result: await handler({ ...scene, object: operation.object, args, run: inner => runInCallback(inner, scene) }) };
  } catch (error) {
    if (error instanceof Mismatch) throw error;
    return { error };
  }
}

function mustFindHandler(name: string): Handler {
  const handler = handlers[name];
  if (handler === undefined) throw new Error(`the runner has no operation ${name}`);
  return handler;
}

function resolveSession(args: Fields, entities: Entities): Fields {
  const { session } = args;
  return typeof session === 'string' ? { ...args, session: entities.session(session) } : args;
}
