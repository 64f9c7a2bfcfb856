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

/** Runs one operation and holds its result or error against what the test expects. */
export async function runOperation(operation: Operation, scene: Scene): Promise<void> {
  const at = operation.name;
  const outcome = await settle(operation, scene);
  if (operation.ignoreResultAndError) return;
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

/** An error that a driver's own callback handling must see (a transaction to be retried) is thrown on unchanged. */
async function settle(operation: Operation, scene: Scene): Promise<{ readonly result: unknown } | { readonly error: unknown }> {
  const handler = mustFindHandler(operation.name);
  const args = resolveSession(operation.arguments ?? {}, scene.entities);
  try {
    return { result: await handler({ ...scene, object: operation.object, args, run: inner => runOperation(inner, scene) }) };
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
