/**
 * A stretch of network that a test can hold: bytes pass through it unchanged, so signatures stay good.
 *
 *   open ── hold ──▶ held (answers wait here) ── release ──▶ open
 *   open ── cut ───▶ cut (connections end, new ones are refused) ── mend ──▶ open
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export class Wire {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [near: Socket, far: Socket]>();
  #state: 'open' | 'held' | 'cut' = 'open';
  /** Bytes that came from the far side while held. */
  heldBytes = 0;
  /** Pieces that came from the far side since the wire was opened: on the feed's wire, one for each report answered. */
  arrived = 0;
  #port = 0;

  constructor(target: () => number) {
    this.#server = createServer((near) => this.#join(near, target()));
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  hold(): void {
    this.#state = 'held';
    this.heldBytes = 0;
  }

  release(): void {
    this.#state = 'open';
    for (const [, far] of this.#pairs) far.emit('released');
  }

  cut(): void {
    this.#state = 'cut';
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  mend(): void {
    this.#state = 'open';
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket, port: number): void {
    if (this.#state === 'cut') return void near.destroy();
    const far = connect(port, '127.0.0.1');
    const pair = [near, far] as const;
    const waiting: Buffer[] = [];
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end).setNoDelay(true);
    near.on('data', (bytes: Buffer) => far.write(bytes));
    far.on('data', (bytes: Buffer) => {
      this.arrived++;
      if (this.#state !== 'held') return void near.write(bytes);
      this.heldBytes += bytes.length;
      waiting.push(bytes);
    });
    far.on('released', () => waiting.splice(0).forEach((bytes) => near.write(bytes)));
  }
}
