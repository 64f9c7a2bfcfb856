/**
 * `EventSource` as browsers have it (WHATWG HTML §9.2.2, §9.2.3), as far as its state machine goes: a stream that ends
 * and a network error are followed by another try after `retry`, with the last id; any status but 200 and any other
 * type of content closes it for good.
 */
import { EventStream, type ServerEvent } from './event-stream.ts';

export class BrowserEventSource {
  readonly events: ServerEvent[] = [];
  readonly #url: string;
  readonly #leaving = new AbortController();
  readonly #running: Promise<void>;
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  /** Why it is closed for good. */
  failure: string | undefined;
  /** Connections begun, also those that came to nothing. */
  tries = 0;
  lastEventId = '';
  #retryMs = 100;

  constructor(url: string) {
    this.#url = url;
    this.#running = this.#run();
  }

  /** Waits until an event passes. */
  async hears(wanted: (event: ServerEvent) => boolean, msMax = 20_000): Promise<ServerEvent> {
    const until = performance.now() + msMax;
    for (;;) {
      const found = this.events.find(wanted);
      if (found !== undefined) return found;
      if (this.state === 'closed') throw new Error(`closed: ${this.failure}`);
      if (performance.now() > until) throw new Error(`not heard; ${this.state}, ${this.events.length} events`);
      await Bun.sleep(10);
    }
  }

  async close(): Promise<void> {
    this.#leaving.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#leaving.signal.aborted && this.failure === undefined) {
      this.state = 'connecting';
      await this.#connect().catch(() => undefined);
      if (!this.#leaving.signal.aborted && this.failure === undefined) await Bun.sleep(this.#retryMs);
    }
    this.state = 'closed';
  }

  /** Throws network errors. */
  async #connect(): Promise<void> {
    const headers: Record<string, string> = {
      accept: 'text/event-stream',
      ...(this.lastEventId === '' ? {} : { 'last-event-id': this.lastEventId }),
    };
    this.tries++;
    const response = await fetch(this.#url, { headers, signal: this.#leaving.signal });
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      this.failure = `${response.status} ${await response.text()}`;
      return;
    }
    this.state = 'open';
    const stream = new EventStream(response);
    try {
      for (let event = await stream.next(); event !== undefined; event = await stream.next()) this.events.push(event);
    } finally {
      if (stream.lastId !== '') this.lastEventId = stream.lastId;
      this.#retryMs = stream.retryMs ?? this.#retryMs;
    }
  }
}
