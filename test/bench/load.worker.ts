/**
 * The load generator, a process of its own: raw sockets, HTTP/1.1 keep-alive, one request under way on each
 * connection. It writes bytes that were made before and reads of an answer its status, its length and one
 * mark, so that its own cost (about 5 µs a request, told with every figure) hides little of the server's.
 */
import type { LoadOrder, LoadReport } from './load.ts';

const lineEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

class Load {
  readonly #order: LoadOrder;
  readonly #latenciesMs: number[] = [];
  readonly #report: (report: LoadReport) => void;
  #next = 0;
  #open = 0;
  #marked = 0;
  #failed = 0;
  #startedAt = 0;
  #cpuBefore = process.cpuUsage();

  constructor(order: LoadOrder, report: (report: LoadReport) => void) {
    this.#order = order;
    this.#report = report;
  }

  async run(): Promise<void> {
    const { port, connections } = this.#order;
    const opened = await Promise.all(Array.from({ length: connections }, () => new Connection(this).open(port)));
    this.#open = connections;
    this.#cpuBefore = process.cpuUsage();
    this.#startedAt = performance.now();
    for (const connection of opened) connection.send();
  }

  /** `undefined`: the time is over, or every request was sent that may be sent once. */
  take(): Uint8Array | undefined {
    const { requests, once, forMs } = this.#order;
    if (performance.now() - this.#startedAt >= forMs || (once && this.#next >= requests.length)) return undefined;
    return requests[this.#next++ % requests.length];
  }

  answered(head: string, sentAtMs: number): void {
    this.#latenciesMs.push(performance.now() - sentAtMs);
    if (!head.startsWith(`HTTP/1.1 ${this.#order.status} `)) this.#failed++;
    if (head.includes(this.#order.mark)) this.#marked++;
  }

  ended(): void {
    this.#open--;
    if (this.#open > 0) return;
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    const sorted = Float64Array.from(this.#latenciesMs).sort();
    const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
    this.#report({
      requests: sorted.length, marked: this.#marked, failed: this.#failed, seconds, cpuSeconds: (user + system) / 1e6,
      p50Ms: quantile(0.5), p99Ms: quantile(0.99),
    });
  }

  broken(): void {
    this.#failed++;
    this.ended();
  }
}

class Connection {
  readonly #load: Load;
  #socket: Bun.Socket | undefined;
  #sentAtMs = 0;
  /** The bytes of an answer whose head has not ended. */
  #held: Buffer | undefined;
  #head = '';
  /** Bytes of the body still to come; `chunked`: until the last chunk. */
  #left: number | 'chunked' = 0;
  #isOver = false;

  constructor(load: Load) {
    this.#load = load;
  }

  async open(port: number): Promise<this> {
    this.#socket = await Bun.connect({
      hostname: '127.0.0.1', port,
      socket: { data: (_socket, bytes) => this.#read(bytes), close: () => this.#closed(), error: () => this.#closed() },
    });
    return this;
  }

  send(): void {
    const request = this.#load.take();
    if (request === undefined) {
      this.#isOver = true;
      this.#socket?.end();
      this.#load.ended();
      return;
    }
    this.#sentAtMs = performance.now();
    this.#head = '';
    this.#socket?.write(request);
  }

  #closed(): void {
    if (!this.#isOver) this.#load.broken();
    this.#isOver = true;
  }

  #read(bytes: Buffer): void {
    if (this.#head !== '') return this.#readBody(bytes);
    const answer = this.#held === undefined ? bytes : Buffer.concat([this.#held, bytes]);
    const end = answer.indexOf(lineEnd);
    this.#held = end < 0 ? Buffer.from(answer) : undefined;
    if (end < 0) return;
    this.#head = answer.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1];
    this.#left = length === undefined ? 'chunked' : Number(length);
    this.#readBody(answer.subarray(end + 4));
  }

  #readBody(bytes: Buffer): void {
    const isWhole = this.#left === 'chunked' ? bytes.subarray(-5).equals(lastChunk) : (this.#left -= bytes.length) === 0;
    if (!isWhole) return;
    this.#load.answered(this.#head, this.#sentAtMs);
    this.send();
  }
}

process.on('message', (order: LoadOrder) => {
  void new Load(order, (report) => process.send?.(report)).run();
});
// The process that asked is gone: nobody waits for a report.
process.on('disconnect', () => process.exit(0));
