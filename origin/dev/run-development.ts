/** The long-lived things of `npm start`, built in order and disposed of backwards. */
import { join } from 'node:path';
import { mustBeSound } from '../../shared/contract/mistakes.ts';
import { unaffordable } from '../../shared/limits/plans.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import type { Variables } from '../../shared/settings/reader.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { type Origin, startOrigin } from '../server.ts';
import type { Settings } from '../settings.ts';
import { mustRunSettings } from './development.ts';
import type { StoreState } from '../store/store.ts';
import { buildEdgeBundle } from './edge-bundle.ts';
import { type EdgeOptions, type EdgeWorker, onSignal, startEdgeWorker } from './edge-worker.ts';
import { openIdentity } from './identity.ts';
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
    for (const line of toUnknownVariables(given)) say(`warning: ${line}`);
    const { settings, edgeVariables } = await mustRunSettings(given, this.#project);
    const { record, ended } = await openRunRecord(settings.dataDir);
    this.#disposals.push(() => record.remove());
    if (ended > 0) say('tombolo ended the workerd that a killed run had left');
    await mustFreePorts(
      [
        { variable: 'TOMBOLO_ORIGIN_PORT', port: settings.originPort },
        { variable: 'TOMBOLO_EDGE_PORT', port: settings.edgePort },
      ],
      ended > 0 ? orphanPortMsMax : 0,
    );
    const identity = await openIdentity(settings.dataDir);
    const bundle = await buildEdgeBundle({ project: this.#project, dir: join(settings.dataDir, 'edge-bundle') });
    const edge: EdgeOptions = {
      bundleDir: bundle.dir,
      port: settings.edgePort,
      stateDir: join(settings.dataDir, 'edge-state'),
      variables: edgeVariables,
    };
    // The edge first: the origin tells it of changes from its first moment on.
    await this.#runEdge(edge, record, say);
    const origin = await startOrigin(settings, { jwks: identity.jwks });
    this.#disposals.push(() => origin.close());
    const url = `http://127.0.0.1:${settings.edgePort}`;
    const token = await identity.mint({ subject: 'sample', roles: ['editor'] });
    await sayStarted({ url, token, settings, origin, say, isClosing: () => this.#closing });
    if (!this.#closing) say('one machine, without workerd, and many times as fast:  npm run serve');
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

export interface JustStarted {
  readonly url: string;
  readonly token: string;
  readonly settings: Settings;
  readonly origin: Origin;
  readonly say: Say;
  readonly isClosing?: () => boolean;
}

/** Fills an empty store, and says where the API is once it answers. */
export async function sayStarted({ url, token, settings, origin, say, isClosing = () => false }: JustStarted): Promise<void> {
  await answered(url, token);
  if (settings.seed) sayImported(say, await seedSample(url, token, origin.storeState()));
  sayPending(say, origin.storeState());
  if (isClosing()) return;
  say(`tombolo ready: ${url}`);
  say(toExample(url));
}

/** Asks until the edge has an answer of the origin's: its own failures are not one. */
async function answered(url: string, token: string): Promise<void> {
  const [name = ''] = served.resources.keys();
  const until = Date.now() + readyMsMax;
  for (;;) {
    const response = await fetch(`${url}/${served.versions.current.name}/${name}?${probe}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(readyMsMax),
    }).catch((cause: unknown) => String(cause));
    const said = typeof response === 'string' ? response : `${response.status} ${await response.text()}`;
    const isAnswer = typeof response !== 'string' && (response.status < 500 || said.includes('shape_not_ready'));
    if (isAnswer) return;
    if (Date.now() > until) throw new Error(`the edge does not answer: ${said}`);
    await Bun.sleep(20);
  }
}

function sayImported(say: Say, imported: ReadonlyMap<string, number>): void {
  if (imported.size > 0) {
    const rows = [...imported].map(([name, count]) => `${count} ${name}`).join(', ');
    say(`tombolo put its sample into the empty store: ${rows} (TOMBOLO_SEED=0 leaves it empty)`);
  }
}

function sayPending(say: Say, { pending }: StoreState): void {
  if (pending.length === 0) return;
  say(`the database lacks ${pending.length} steps that the declaration asks for; nothing of it is changed unasked: npm run plan`);
}

function toExample(url: string): string {
  const [first = ''] = served.resources.keys();
  const query = served.resources.has('films') ? 'films?genres=Comedy&year[gte]=1980&sort=-year,title&limit=3' : `${first}?limit=3`;
  return `try:  curl -g '${url}/${served.versions.current.name}/${query}'`;
}
