/** Reads server-sent events as a browser would (WHATWG HTML §9.2.6), one at a time. */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
  /** The last event id when it was dispatched. */
  readonly id: string;
}

export interface EventStreamOptions {
  /** Ids without data, which a browser dispatches nothing for, are given as events of the name `heartbeat`. */
  readonly heartbeats?: boolean;
}

export class EventStream {
  readonly #heartbeats: boolean;
  readonly #reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>; cancel(): Promise<void> };
  readonly #decoder = new TextDecoder();
  readonly #ready: ServerEvent[] = [];
  #text = '';
  /** The last id, set by heartbeats too, which dispatch nothing. */
  lastId = '';
  /** The `retry` that the stream said last. */
  retryMs: number | undefined;

  constructor(response: Response, { heartbeats = false }: EventStreamOptions = {}) {
    this.#heartbeats = heartbeats;
    if (response.body === null || response.status !== 200) throw new Error(`no event stream: ${response.status}`);
    this.#reader = response.body.getReader();
  }

  /** `undefined`: the stream has ended. */
  async next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const event = this.#ready.shift();
      if (event !== undefined) return event;
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#take(this.#decoder.decode(value, { stream: true }));
    }
  }

  /** Reads until an id has come, by event or heartbeat; the events read stay ready. */
  async heardFrom(): Promise<string> {
    while (this.lastId === '') {
      const { done, value } = await this.#reader.read();
      if (done) break;
      this.#take(this.#decoder.decode(value, { stream: true }));
    }
    return this.lastId;
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }

  #take(text: string): void {
    const blocks = (this.#text + text).split('\n\n');
    this.#text = blocks.pop() ?? '';
    for (const block of blocks) {
      this.#dispatch(new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])));
    }
  }

  #dispatch(fields: ReadonlyMap<string, string>): void {
    this.lastId = fields.get('id') ?? this.lastId;
    const retry = fields.get('retry');
    if (retry !== undefined) this.retryMs = Number(retry);
    const data = fields.get('data');
    if (data !== undefined) this.#ready.push({ name: fields.get('event') ?? 'message', data, id: this.lastId });
    else if (this.#heartbeats && fields.has('id')) this.#ready.push({ name: 'heartbeat', data: '', id: this.lastId });
  }
}
