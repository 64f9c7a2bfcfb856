/** The long-lived things of `npm start`, built in order and disposed of backwards. */
import { join } from 'node:path';
import { mustBeSound } from '../../shared/contract/mistakes.ts';
import { unaffordable } from '../../shared/contract/plans.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import { startOrigin } from '../server.ts';
import type { Settings, Variables } from '../settings.ts';
import { mustDevelopmentSettings } from './development.ts';
import { buildEdgeBundle } from './edge-bundle.ts';
import { type EdgeOptions, type EdgeWorker, onSignal, startEdgeWorker } from './edge-worker.ts';
import { type Identity, openIdentity } from './identity.ts';
import { mustFreePorts } from './ports.ts';
import { openRunRecord, type RunRecord } from './run-record.ts';
import { probe, seedSample } from './seed.ts';

type Say = (line: string) => void;

/** A killed workerd's sockets are gone within this, on a busy machine too. */
const orphanPortMsMax = 3_000;

/** Until a first request through the edge is answered. */
const readyMsMax = 15_000;

export class Development {
  readonly #project: string;
  readonly #disposals: (() => void | Promise<void>)[] = [];
  #closing = false;

  constructor(project: string) {
    this.#project = project;
  }

  onStopAsked(listener: (signal: string) => void): void {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) onSignal(signal, () => listener(signal));
  }

  async start(given: Variables, say: Say): Promise<void> {
    mustBeSound(served, offered, { mistakes: unaffordable(offered, served) });
    const settings = await mustDevelopmentSettings(given);
    const { record, ended } = await openRunRecord(settings.dataDir);
    this.#disposals.push(() => record.remove());
    if (ended > 0) say('tombolo ended the workerd that a killed run had left');
    await mustFreePorts([{ variable: 'TOMBOLO_ORIGIN_PORT', port: settings.originPort }, { variable: 'TOMBOLO_EDGE_PORT', port: settings.edgePort }], ended > 0 ? orphanPortMsMax : 0);
    const identity = await openIdentity(settings.dataDir);
    const bundle = await buildEdgeBundle({ project: this.#project, dir: join(settings.dataDir, 'edge-bundle') });
    const edge = toEdgeOptions(settings, identity, bundle.dir, given);
    // The edge first: the origin tells it of changes from its first moment on.
    await this.#runEdge(edge, record, say);
    const origin = await startOrigin(settings, { jwks: identity.jwks });
    this.#disposals.push(() => origin.close());
    const url = `http://127.0.0.1:${settings.edgePort}`;
    const token = await identity.mint({ subject: 'sample', roles: ['editor'] });
    await answered(url, token);
    if (settings.seed) sayImported(say, await seedSample(url, token));
    if (this.#closing) return;
    say(`tombolo ready: ${url}`);
    say(toExample(url));
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (let dispose = this.#disposals.pop(); dispose !== undefined; dispose = this.#disposals.pop()) await dispose();
  }

  /** workerd that dies is started again: its state is on disk or with the origin. */
  async #runEdge(options: EdgeOptions, record: RunRecord, say: Say): Promise<void> {
    let edge: EdgeWorker = await startEdgeWorker(options, (found) => record.noteEdges(found));
    this.#disposals.push(() => edge.close());
    const keepUp = async (): Promise<void> => {
      for (;;) {
        await edge.died;
        if (this.#closing) return;
        say('workerd ended unasked; tombolo starts it again');
        await edge.close();
        edge = await startEdgeWorker(options, (found) => record.noteEdges(found));
      }
    };
    void keepUp().catch((cause: unknown) => {
      process.stderr.write(`tombolo: workerd does not come back: ${String(cause)}\n`);
      process.kill(process.pid, 'SIGTERM');
    });
  }
}

function toEdgeOptions(settings: Settings, identity: Identity, bundleDir: string, given: Variables): EdgeOptions {
  const issuer = identity.issuer;
  // Settings of the edge that are set in the environment win over the ones of wrangler.toml.
  const own = ['TOMBOLO_CORS_ORIGINS', 'TOMBOLO_MEMO_MS', 'TOMBOLO_FEED_SILENT_MS', 'TOMBOLO_ANONYMOUS_PLAN'].flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  return {
    bundleDir,
    port: settings.edgePort,
    stateDir: join(settings.dataDir, 'edge-state'),
    variables: {
      ...Object.fromEntries(own),
      TOMBOLO_ENV: 'development',
      TOMBOLO_ORIGIN_URL: `http://127.0.0.1:${settings.originPort}`,
      TOMBOLO_KEYS: settings.keys.map(({ id, secret }) => `${id}:${Buffer.from(secret).toString('base64url')}`).join(','),
      TOMBOLO_ISSUER: issuer,
      TOMBOLO_AUDIENCE: identity.audience,
      TOMBOLO_JWKS_URL: `http://127.0.0.1:${settings.originPort}/.well-known/jwks.json`,
    },
  };
}

/** Asks until the edge has an answer of the origin's: its own failures are not one. */
async function answered(url: string, token: string): Promise<void> {
  const [name = ''] = served.resources.keys();
  const until = Date.now() + readyMsMax;
  for (;;) {
    const response = await fetch(`${url}/v1/${name}?${probe}`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(readyMsMax) }).catch((cause: unknown) => String(cause));
    const isAnswer = typeof response !== 'string' && response.status < 500;
    if (isAnswer) return;
    if (Date.now() > until) throw new Error(`the edge does not answer: ${typeof response === 'string' ? response : `${response.status} ${await response.text()}`}`);
    await Bun.sleep(20);
  }
}

function sayImported(say: Say, imported: ReadonlyMap<string, number>): void {
  if (imported.size > 0) say(`tombolo put its sample into the empty store: ${[...imported].map(([name, rows]) => `${rows} ${name}`).join(', ')} (TOMBOLO_SEED=0 leaves it empty)`);
}

function toExample(url: string): string {
  const [first = ''] = served.resources.keys();
  const query = served.resources.has('films') ? 'films?genres=Comedy&year[gte]=1980&sort=-year,title&limit=3' : `${first}?limit=3`;
  return `try:  curl -g '${url}/v1/${query}'`;
}
