/**
 * The long-lived things of one origin process, built from the most general to the most specific and
 * disposed of backwards. Time is passed in, so that tests hold it.
 */
import pino from 'pino';
import type { Contract } from '../shared/contract/contract.ts';
import type { FaultReason } from '../shared/contract/fault.ts';
import { limits } from '../shared/contract/limits.ts';
import { parsePosition } from '../shared/contract/position.ts';
import type { Verb } from '../shared/contract/routes.ts';
import { hopLimits } from '../shared/hop/profile.ts';
import type { Asked } from './call.ts';
import type { ComputeCalls } from './compute/calls.ts';
import { openCompute } from './compute/open.ts';
import type { ComputePool } from './compute/pool.ts';
import { Feed } from './feed/feed.ts';
import type { VerifiedHop } from './hop/verify.ts';
import type { Settings } from './settings.ts';
import { openMongoStore } from './store/mongo/mongo-store.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';

export interface Context {
  readonly settings: Settings;
  readonly contract: Contract;
  readonly log: pino.Logger;
  readonly store: Store;
  readonly feed: Feed;
  readonly compute: ComputePool<ComputeCalls>;
  /** Refusals by reason, since the start. */
  readonly refusals: Map<FaultReason, number>;
  now(): number;
  /** Deadline, demanded position and nonce of a request. */
  bounds(hop: VerifiedHop, verb: Verb): Pick<Asked, 'deadline' | 'atLeast' | 'nonce'>;
  close(): Promise<void>;
}

export async function openContext(settings: Settings, contract: Contract): Promise<Context> {
  const log = pino({ level: settings.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const store = await openStore(settings, contract, log);
  const feed = await openFeed(store, log);
  const compute = await openCompute();
  const now = Date.now;
  return {
    settings, contract, log, store, feed, compute, now,
    refusals: new Map(),
    bounds: (hop, verb) => toBounds(hop, verb, now()),
    async close() {
      await feed.close();
      await compute.close();
      await store.close();
    },
  };
}

/** A store that answers no question does not stay open behind a start that fails. */
async function openFeed(store: Store, log: pino.Logger): Promise<Feed> {
  try {
    return await Feed.open({ store, onTrouble: (message, err) => log.error({ err }, message) });
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

function openStore({ mongodbUri, dataDir }: Settings, contract: Contract, log: pino.Logger): Promise<Store> {
  const surroundings = {
    resources: contract.resources.values(),
    onWarning: (message: string, facts: Readonly<Record<string, unknown>>) => log.warn(facts, message),
    onFatal: (err: Error) => {
      // The file under us is no longer the one we opened, or the database cannot be put right: going on would answer from a ghost.
      log.fatal({ err }, 'the store is not ours any more');
      process.exit(75);
    },
  };
  return mongodbUri === undefined ? openSqliteStore({ dataDir, ...surroundings }) : openMongoStore({ uri: mongodbUri, ...surroundings });
}

function toBounds(hop: VerifiedHop, verb: Verb, nowMs: number): Pick<Asked, 'deadline' | 'atLeast' | 'nonce'> {
  const msMax = verb === 'import' ? limits.importMsMax : verb === 'changes' ? limits.streamMsMax : limits.requestMsMax;
  const msLeft = Number(hop.header('tombolo-deadline') ?? msMax);
  const { created, nonce } = hop.parameters;
  return {
    deadline: nowMs + Math.min(Number.isFinite(msLeft) ? msLeft : 0, msMax),
    atLeast: parsePosition(hop.header('tombolo-after') ?? ''),
    nonce: { value: nonce, expiresAt: (created + hopLimits.nonceKeptSeconds) * 1_000 },
  };
}
