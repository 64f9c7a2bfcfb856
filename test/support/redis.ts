/**
 * A real redis-server of its own, behind what Upstash's REST API is: `POST /` with one command as a list, `Authorization: Bearer`,
 * `{"result":…}` or status 400 with `{"error":…}`. It can be killed, stopped for a while, and cut off; the REST side stays.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisClient } from 'bun';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { onPath } from './needs.ts';
import { Program } from './program.ts';

export const redisServer = onPath('redis-server');

const token = 'a-token-of-the-test';

interface RedisOptions {
  /** Whether what was acknowledged is there after a kill; it is not unless said. */
  readonly isKept?: boolean;
}

export class RestRedis implements AsyncDisposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'tombolo-redis-'));
  readonly #port = freePort();
  readonly #isKept: boolean;
  readonly #rest: Bun.Server<undefined>;
  #program: Program | undefined;
  #client: RedisClient | undefined;
  /** Scripts that were asked for by their text. */
  texts = 0;
  asked = 0;
  /** `cut`: the connection of each question is refused an answer; `slow`: none comes in time. */
  way: 'open' | 'cut' | 'slow' = 'open';

  static async start(options: RedisOptions = {}): Promise<RestRedis> {
    const redis = new RestRedis(options.isKept === true);
    await redis.again();
    return redis;
  }

  private constructor(isKept: boolean) {
    this.#isKept = isKept;
    this.#rest = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, fetch: (request) => this.#answer(request) });
  }

  get variables(): { readonly UPSTASH_REDIS_REST_URL: string; readonly UPSTASH_REDIS_REST_TOKEN: string } {
    return { UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${this.#rest.port}`, UPSTASH_REDIS_REST_TOKEN: token };
  }

  /** Another redis-server in place of one that was killed. */
  async again(): Promise<void> {
    const persistence = this.#isKept ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
    this.#program = new Program(
      ['redis-server', '--port', String(this.#port), '--bind', '127.0.0.1', '--save', '', '--dir', this.#dir, ...persistence],
      { cwd: this.#dir, env: process.env },
    );
    await this.#program.says(/Ready to accept connections/);
    this.#client = new RedisClient(`redis://127.0.0.1:${this.#port}`, { autoReconnect: false });
    await this.#client.connect();
  }

  async kill(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    await this.#program?.kill();
  }

  /** Killed, and there again with what it had, without the last of it (a file cut off), or with nothing. */
  async lose(what: 'nothing' | 'last' | 'all'): Promise<void> {
    await this.kill();
    const dir = join(this.#dir, 'appendonlydir');
    if (what === 'all') rmSync(dir, { recursive: true, force: true });
    const [log = ''] = what === 'last' ? readdirSync(dir).filter((name) => name.endsWith('.incr.aof')) : [];
    if (log !== '') truncateSync(join(dir, log), Math.max(0, statSync(join(dir, log)).size - lastBytes));
    await this.again();
  }

  /** As an operator of that Redis. */
  async command(name: string, ...given: readonly string[]): Promise<unknown> {
    if (this.#client === undefined) throw new Error('redis-server is not there');
    return this.#client.send(name, [...given]);
  }

  /** Waits for so many further questions: proof that somebody goes on asking. */
  async hears(questions: number): Promise<void> {
    const until = this.asked + questions;
    await eventually('questions to Redis', () => this.asked >= until);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.way = 'open';
    await this.kill();
    await this.#rest.stop(true);
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #answer(request: Request): Promise<Response> {
    if (request.headers.get('authorization') !== `Bearer ${token}`) return Response.json({ error: 'WRONGPASS' }, { status: 401 });
    const [name = '', ...given] = (await request.json()) as string[];
    this.asked++;
    if (name === 'EVAL') this.texts++;
    if (this.way === 'cut') return new Response('a proxy between says this', { status: 502 });
    if (this.way === 'slow') await Bun.sleep(slowMs);
    try {
      return Response.json({ result: await this.command(name, ...given) });
    } catch (thrown) {
      return Response.json({ error: thrown instanceof Error ? thrown.message : String(thrown) }, { status: 400 });
    }
  }
}

/** A hundred reports and charges. */
const lastBytes = 65_536;

/** Longer than an edge waits. */
const slowMs = 3_000;
