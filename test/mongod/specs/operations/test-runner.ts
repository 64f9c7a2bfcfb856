import type { ClientSession, Document } from 'mongodb';
import { isDirty, isPinned, transactionState } from '../driver-internals.ts';
import { match } from '../match.ts';
import { must } from '../mismatch.ts';
import type { EntityDescription } from '../schema.ts';
import { argument, type Call, type Handlers } from './call.ts';

/** Operations on the runner itself: fail points, and assertions that no driver method makes. */
export const testRunnerOperations: Handlers = {
  createEntities: call => call.entities.create(argument<EntityDescription[]>(call.args, 'entities')),
  wait: call => Bun.sleep(argument<number>(call.args, 'ms')),
  failPoint: async call => {
    await call.entities.client(argument(call.args, 'client')).db('admin').command(argument<Document>(call.args, 'failPoint'));
  },
  assertSessionPinned: async call => must(isPinned(session(call)), 'session', () => 'expected it pinned to a server'),
  assertSessionUnpinned: async call => must(!isPinned(session(call)), 'session', () => 'expected it not pinned to a server'),
  assertSessionDirty: async call => must(isDirty(session(call)), 'session', () => 'expected it marked dirty'),
  assertSessionNotDirty: async call => must(!isDirty(session(call)), 'session', () => 'expected it not marked dirty'),
  assertSessionTransactionState: async call => {
    const [expected, actual] = [states[argument<string>(call.args, 'state')], transactionState(session(call))];
    must(actual === expected, 'session', () => `expected the transaction ${expected}, got ${actual}`);
  },
  assertSameLsidOnLastTwoCommands: async call => must(lastLsidsAreEqual(call), 'lsid', () => 'expected the last two commands in one session'),
  assertDifferentLsidOnLastTwoCommands: async call => must(!lastLsidsAreEqual(call), 'lsid', () => 'expected the last two commands in two sessions'),
  assertCollectionExists: async call => must(await collectionExists(call), namespace(call), () => 'expected the collection, got none'),
  assertCollectionNotExists: async call => must(!(await collectionExists(call)), namespace(call), () => 'expected no such collection'),
  assertIndexExists: async call => must(await indexExists(call), namespace(call), () => `expected the index ${call.args['indexName']}`),
  assertIndexNotExists: async call => must(!(await indexExists(call)), namespace(call), () => `expected no index ${call.args['indexName']}`),
};

const states: Readonly<Record<string, string>> = {
  none: 'NO_TRANSACTION',
  starting: 'STARTING_TRANSACTION',
  in_progress: 'TRANSACTION_IN_PROGRESS',
  committed: 'TRANSACTION_COMMITTED',
  aborted: 'TRANSACTION_ABORTED',
};

const session = ({ args }: Call) => argument<ClientSession>(args, 'session');

const namespace = ({ args }: Call) => `${args['databaseName']}.${args['collectionName']}`;

function lastLsidsAreEqual({ args, entities }: Call): boolean {
  const started = entities.observed(argument(args, 'client')).commandEvents.filter(({ type }) => type === 'commandStartedEvent');
  const [previous, last] = started.slice(-2).map(({ command }) => command?.['lsid']);
  must(previous !== undefined && last !== undefined, 'lsid', () => 'expected two commands with a session');
  try {
    match({ expected: previous, actual: last, root: false, at: 'lsid', scope: entities });
    return true;
  } catch {
    return false;
  }
}

async function collectionExists({ args, target }: Call): Promise<boolean> {
  const name = argument<string>(args, 'collectionName');
  const found = await target.internal.db(argument(args, 'databaseName')).listCollections({ name }, { nameOnly: true }).toArray();
  return found.length > 0;
}

async function indexExists(call: Call): Promise<boolean> {
  if (!(await collectionExists(call))) return false;
  const { args, target } = call;
  const collection = target.internal.db(argument(args, 'databaseName')).collection(argument(args, 'collectionName'));
  const indexes = await collection.listIndexes().toArray();
  return indexes.some(index => index['name'] === args['indexName']);
}
