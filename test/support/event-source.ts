/** Both ends of a live feed in tests: an origin's stream that the test writes, and a client that reads it. */

/** A body for `ScriptedAnswer`; says when its reader has gone. */
export class ScriptedStream {
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #left: () => void = () => undefined;
  readonly left = new Promise<void>((resolve) => (this.#left = resolve));
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => void (this.#controller = controller),
    cancel: () => this.#left(),
  });

  send(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#controller?.close();
  }
}

/** Text as it arrives. */
export class StreamReader {
  readonly #reader: { read(): Promise<{ done: boolean; value?: Uint8Array }>; cancel(): Promise<void> };
  readonly #decoder = new TextDecoder();

  constructor(response: Response) {
    if (response.body === null) throw new Error('the answer has no body');
    this.#reader = response.body.getReader();
  }

  /** The next piece; `undefined` at the end. */
  async next(): Promise<string | undefined> {
    const { done, value } = await this.#reader.read();
    return done ? undefined : this.#decoder.decode(value, { stream: true });
  }

  leave(): Promise<void> {
    return this.#reader.cancel();
  }
}
