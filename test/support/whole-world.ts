/**
 * A whole Tombolo for a test: the origin in a process of its own, the edge's bundle in workerd, development's
 * identity, and two wires that a test can hold or cut.
 *
 *   test ──▶ edge ──▶ (hop wire) ──▶ origin ──▶ store ◀── foreign writers
 *              ▲                        │
 *              └──── (feed wire) ◀──────┘ purge sink
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIdentity, type Claims, type Identity } from '../../origin/dev/identity.ts';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { Answer } from './answer.ts';
import { type Edge, startEdge } from './edge.ts';
import { eventually } from './eventually.ts';
import { oneProcess, OriginProcess } from './origin-process.ts';
import type { ForeignProgram } from './foreign-program.ts';
import { MongoProgram } from './mongo-program.ts';
import { StoreFile } from './store-file.ts';
import { Wire } from './wire.ts';

export type Engine = 'sqlite' | 'mongodb';
/** Every journey passes on each of these. */
export const engines: readonly Engine[] = ['sqlite', 'mongodb'];

/** How edge and origin run: in workerd and a process beside it, or in one process. */
export type Stack = 'workerd' | 'one process';

/** Every world that the journeys of a reader and a writer pass in. */
export const worlds: readonly (readonly [Engine, Stack])[] = [
  ['sqlite', 'workerd'], ['mongodb', 'workerd'], ['sqlite', 'one process'], ['mongodb', 'one process'],
];

/** Both engines at the edge, and one process once: what differs there is the runtime, whatever the store. */
export const worldsOfBoth: readonly (readonly [Engine, Stack])[] = worlds.slice(0, 3);

/** Both on SQLite. */
export const stacks: readonly Stack[] = ['workerd', 'one process'];

export interface WorldOptions {
  readonly engine: Engine;
  /** In workerd unless said. In one process there are no wires between the two to hold. */
  readonly stack?: Stack;
  /** How long an isolate believes the coordinator; 1 000 unless said. */
  readonly memoMs?: number;
  /** The age at which the feed counts as silent; 1 000 unless said. */
  readonly feedSilentMs?: number;
  /** Pages that may read answers, as in `TOMBOLO_CORS_ORIGINS`. */
  readonly corsOrigins?: string;
  /** Whether the coordinator finds its state again when the edge restarts; true unless said. */
  readonly keepsEdgeState?: boolean;
  /** The level of both logs; development's unless said. */
  readonly logLevel?: 'debug' | 'info';
  /** A module to run in place of `edge/worker.ts`. */
  readonly workerModule?: string;
  /** Where the sources of another release are, of which both sides run. */
  readonly releaseDir?: string;
  /** Settings of both sides. */
  readonly variables?: Readonly<Record<string, string>>;
  /** The public origin below which people sign in, as in `TOMBOLO_PEOPLE`; off unless said. */
  readonly people?: string;
  /** Lines of the edge's log. */
  readonly onEdgeLog?: (line: string) => void;
}

export interface Asking {
  readonly method?: string;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bun.BodyInit;
  /** A value that is sent as a JSON body. */
  readonly json?: unknown;
}

interface Parts {
  readonly dataDir: string;
  readonly keys: string;
  readonly origin: OriginProcess;
  readonly edge: Edge;
  readonly identity: Identity;
  readonly hop: Wire;
  readonly feed: Wire;
  readonly foreign: ForeignProgram;
}

const ownSources = join(import.meta.dir, '../..');

/** A read may be this old, and no older: the memo of 1 000 ms and the feed's lag (SEMANTICS §1). */
export const freshWithinMs = 1_250;

export class World {
  readonly origin: OriginProcess;
  readonly edge: Edge;
  readonly identity: Identity;
  /** The ring in the form of `TOMBOLO_KEYS`. */
  readonly keys: string;
  readonly hop: Wire;
  readonly feed: Wire;
  /** The database as other programs see it. */
  readonly foreign: ForeignProgram;
  readonly dataDir: string;

  constructor({ dataDir, keys, origin, edge, identity, hop, feed, foreign }: Parts) {
    this.origin = origin;
    this.edge = edge;
    this.identity = identity;
    this.keys = keys;
    this.hop = hop;
    this.feed = feed;
    this.foreign = foreign;
    this.dataDir = dataDir;
  }

  token(claims: Partial<Claims> = {}): Promise<string> {
    return this.identity.mint({ subject: 'alice', roles: ['editor'], ...claims });
  }

  async request(path: string, asking: Asking = {}): Promise<Answer> {
    const response = await fetch(`${this.edge.url}${path}`, toInit(asking));
    return new Answer(response, await response.text());
  }

  /** Asks until the cache answers by itself: what follows then is about cached answers. */
  mustHit(path: string, asking: Asking = {}): Promise<Answer> {
    return eventually(`a hit for ${path}`, async () => {
      const answer = await this.request(path, asking);
      if (!answer.isHit) throw new Error(`${answer.status} ${answer.cacheStatus}`);
      return answer;
    }, { everyMs: 50 });
  }

  /** Puts an old database in place of the present one, as after a restored backup. */
  async restore(putBack: () => Promise<void>): Promise<void> {
    await this.origin.stop();
    await putBack();
    await this.origin.start();
  }

  async close(): Promise<void> {
    await this.origin.kill9();
    await this.edge.close();
    await Promise.all([this.hop.close(), this.feed.close(), this.foreign.close()]);
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

export async function startWorld(options: WorldOptions): Promise<World> {
  const world = await (options.stack === 'one process' ? openOneProcess(options) : openWorkerd(options));
  await eventually('an answer through the edge', async () => (await world.request('/v2/films?limit=1')).status === 200);
  return world;
}

async function openOneProcess({
  engine, memoMs = 1_000, feedSilentMs = 1_000, corsOrigins = '', logLevel, people = 'off', variables = {}, releaseDir = ownSources,
}: WorldOptions): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-world-'));
  const keys = await openDevelopmentKeys(dataDir);
  const mongo = engine === 'mongodb' ? await MongoProgram.start() : undefined;
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dataDir, TOMBOLO_KEYS: keys, MONGODB_URI: mongo?.uri ?? '', TOMBOLO_ENV: 'development', TOMBOLO_SEED: '0',
    TOMBOLO_MEMO_MS: String(memoMs), TOMBOLO_FEED_SILENT_MS: String(feedSilentMs), TOMBOLO_CORS_ORIGINS: corsOrigins,
    TOMBOLO_PEOPLE: people,
    // Tests ask as fast as they can, and all from one address.
    TOMBOLO_ANONYMOUS_PLAN: 'bench', TOMBOLO_FLOOD_MAX: '1000000',
    ...(logLevel === undefined ? {} : { TOMBOLO_LOG_LEVEL: logLevel }), ...variables,
  }, oneProcess);
  const [hop, feed] = [await new Wire(() => origin.port).open(), await new Wire(() => origin.port).open()];
  const edge: Edge = {
    url: origin.url,
    async restart() {
      await origin.stop();
      await origin.start({ releaseDir });
    },
    close: async () => undefined,
  };
  await origin.start({ releaseDir });
  const identity = await openIdentity(dataDir);
  return new World({ dataDir, keys, origin, edge, identity, hop, feed, foreign: mongo ?? new StoreFile(dataDir) });
}

async function openWorkerd({
  engine, memoMs = 1_000, feedSilentMs = 1_000, corsOrigins = '', keepsEdgeState = true, logLevel, onEdgeLog,
  people = 'off', variables = {}, releaseDir = ownSources,
  workerModule = releaseDir === ownSources ? undefined : join(releaseDir, 'edge/worker.ts'),
}: WorldOptions): Promise<World> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-world-'));
  const keys = await openDevelopmentKeys(dataDir);
  let edgePort = 0;
  const mongo = engine === 'mongodb' ? await MongoProgram.start() : undefined;
  const feed = await new Wire(() => edgePort).open();
  const origin = new OriginProcess({
    TOMBOLO_DATA_DIR: dataDir, TOMBOLO_EDGE_URLS: feed.url, TOMBOLO_KEYS: keys, MONGODB_URI: mongo?.uri ?? '',
    TOMBOLO_ENV: 'development', TOMBOLO_PEOPLE: people, TOMBOLO_CORS_ORIGINS: corsOrigins,
    ...(logLevel === undefined ? {} : { TOMBOLO_LOG_LEVEL: logLevel }), ...variables,
  });
  const hop = await new Wire(() => origin.port).open();
  const identity = await openIdentity(dataDir);
  const { issuer, audience } = identity;
  const edge = await startEdge({
    originUrl: hop.url,
    keys,
    issuer,
    audience,
    jwksUrl: `${origin.url}/.well-known/jwks.json`,
    memoMs,
    feedSilentMs,
    corsOrigins,
    variables: { TOMBOLO_PEOPLE: people, ...(logLevel === undefined ? {} : { TOMBOLO_LOG_LEVEL: logLevel }), ...variables },
    ...(workerModule === undefined ? {} : { workerModule }),
    ...(onEdgeLog === undefined ? {} : { onLog: onEdgeLog }),
    ...(keepsEdgeState ? { persistDir: join(dataDir, 'edge-state') } : {}),
  });
  edgePort = Number(new URL(edge.url).port);
  const world = new World({ dataDir, keys, origin, edge, identity, hop, feed, foreign: mongo ?? new StoreFile(dataDir) });
  await origin.start({ releaseDir });
  return world;
}

function toInit({ method, token, headers, body, json }: Asking): RequestInit {
  return {
    method: method ?? (json === undefined && body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: json === undefined ? (body ?? null) : JSON.stringify(json),
    redirect: 'manual',
  };
}
