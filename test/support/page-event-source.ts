/** The parts of a browser's `EventSource` that the page of the README uses. */
import { BrowserEventSource } from './browser-event-source.ts';

export class PageEventSource {
  static readonly CLOSED = 2;
  static readonly opened: PageEventSource[] = [];
  readonly inner: BrowserEventSource;
  readyState = 0;
  onerror: (() => void) | undefined;

  constructor(url: string) {
    this.inner = new BrowserEventSource(url);
    PageEventSource.opened.push(this);
    void this.#watch();
  }

  readonly #listeners = new Map<string, (event: { lastEventId: string; data: string }) => void>();

  addEventListener(name: string, listener: (event: { lastEventId: string; data: string }) => void): void {
    this.#listeners.set(name, listener);
  }

  async #watch(): Promise<void> {
    for (let told = 0; this.readyState !== PageEventSource.CLOSED; await Bun.sleep(10)) {
      this.readyState = this.inner.state === 'closed' ? PageEventSource.CLOSED : 1;
      for (; told < this.inner.events.length; told++) {
        const event = this.inner.events[told];
        if (event !== undefined) this.#listeners.get(event.name)?.({ lastEventId: event.id, data: event.data });
      }
      if (this.inner.state !== 'open') this.onerror?.();
    }
  }
}
