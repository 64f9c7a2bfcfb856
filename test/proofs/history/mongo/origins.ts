/**
 * Real origins of one database in this process, each on a port of its own, asked by signed hops as an edge would.
 * Clients do not know which of them answers, nor that one is just away.
 */
import { startOrigin, type Origin } from '../../../../origin/server.ts';
import { mustSettings, type Settings } from '../../../../origin/settings.ts';
import { testKeys } from '../../../support/scripted-origin.ts';
import type { Random } from '../../../support/random.ts';
import { type Door, sendHop, type Sending, type Sent } from '../door.ts';

interface Place {
  /** A new one for each start: what a process knows dies with it. */
  readonly name: string;
  readonly origin: Origin;
  readonly url: string;
}

/** Deadlines of requests, which may end before the database is back. Streams live on. */
const deadlinesMs = [200, 500, 1_000] as const;

export class Origins implements Door {
  readonly name = 'by the hop';
  readonly #settings: Settings;
  readonly #random: Random;
  readonly #places: Place[] = [];
  #started = 0;

  static async open(mongodbUri: string, count: number, random: Random): Promise<Origins> {
    const origins = new Origins(mongodbUri, random);
    for (let number = 0; number < count; number++) origins.#places.push(await origins.#start());
    return origins;
  }

  private constructor(mongodbUri: string, random: Random) {
    // There is no edge to report to.
    this.#settings = {
      ...mustSettings({ TOMBOLO_KEYS: testKeys, MONGODB_URI: mongodbUri, TOMBOLO_ORIGIN_PORT: '0', TOMBOLO_LOG_LEVEL: 'silent' }),
      edgeUrls: [],
    };
    this.#random = random;
  }

  send(path: string, sent: Sent, signal?: AbortSignal): Sending {
    const { name, url } = this.#random.pick(this.#places) ?? { name: 'none', url: '' };
    const isStream = path.endsWith('/changes');
    return {
      through: name,
      response: sendHop({ url, keys: testKeys, ...(isStream ? {} : { deadlineMs: this.#random.pick(deadlinesMs) }) }, path, sent, signal),
    };
  }

  /** Closes one of them and starts another in its place, as a deploy does; again until the database lets it in. */
  async reopen(): Promise<void> {
    const index = this.#random.below(this.#places.length);
    await this.#places[index]?.origin.close();
    for (;;) {
      const place = await this.#start().catch(() => undefined);
      if (place !== undefined) return void (this.#places[index] = place);
      await Bun.sleep(20);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#places.map(({ origin }) => origin.close()));
  }

  async #start(): Promise<Place> {
    const origin = await startOrigin(this.#settings);
    return { name: `origin ${++this.#started}`, origin, url: `http://127.0.0.1:${origin.port}` };
  }
}
