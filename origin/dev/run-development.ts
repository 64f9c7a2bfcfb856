/** The long-lived things of `npm start`, built in order and disposed of backwards. */
import { join } from 'node:path';
import { mustBeSound } from '../../shared/checks/sound.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import type { Variables } from '../../shared/settings/reader.ts';
import { toUnknownVariables } from '../../shared/settings/unknown-variables.ts';
import { startOrigin } from '../server.ts';
import { mustRunSettings } from './development.ts';
import { buildEdgeBundle } from './edge-bundle.ts';
import { type EdgeOptions, onSignal } from './edge-worker.ts';
import { openIdentity } from './identity.ts';
import { keepUpEdge } from './kept-up-edge.ts';
import { mustFreePorts } from './ports.ts';
import { openRunRecord } from './run-record.ts';
import { type Say, sayStarted } from './say-started.ts';

/** A killed workerd's sockets are gone within this, on a busy machine too. */
const orphanPortMsMax = 3_000;

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
    mustBeSound(served, offered);
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
    const bundle = await buildEdgeBundle(this.#project);
    const edge: EdgeOptions = {
      bundleDir: bundle.dir,
      port: settings.edgePort,
      stateDir: join(settings.dataDir, 'edge-state'),
      variables: edgeVariables,
    };
    // The edge first: the origin tells it of changes from its first moment on.
    const kept = await keepUpEdge(edge, record, say, () => this.#closing);
    this.#disposals.push(() => kept.close());
    const origin = await startOrigin(settings, { jwks: identity.jwks, signToken: identity.signToken });
    this.#disposals.push(() => origin.close());
    const url = `http://127.0.0.1:${settings.edgePort}`;
    await sayStarted({ url, mint: identity.mint, settings, origin, say, isClosing: () => this.#closing });
    if (!this.#closing) say('without workerd, as one process:  npm run serve');
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (let dispose = this.#disposals.pop(); dispose !== undefined; dispose = this.#disposals.pop()) await dispose();
  }
}
