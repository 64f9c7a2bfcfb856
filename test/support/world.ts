/**
 * An edge with all that it speaks to: an issuer of tokens, and an origin over a few films whose writes move
 * positions and are told to the edge by a feed that the test can hold back.
 */
import type { Contract } from '../../shared/contract/contract.ts';
import { toBucket, touched } from '../../shared/contract/dependencies.ts';
import { type Report, type ReportAnswer, toDeclared } from '../../shared/hop/purge-report.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { served } from '../../shared/resources/all.ts';
import { type Edge, type EdgeOptions, startEdge } from './edge.ts';
import { eventually } from './eventually.ts';
import { Issuer } from './issuer.ts';
import { type HopSeen, macOf, type ScriptedAnswer, ScriptedOrigin, testKeys } from './scripted-origin.ts';

export interface WorldOptions extends Partial<EdgeOptions> {
  /** No report is sent but those of the test. */
  readonly silent?: boolean;
  readonly contract?: Contract;
}

/** The coordinator has as long to answer, or nothing is known; and each change is waited for as long. */
const memoMsUnlessSaid = 250;

/** A film as the origin of these worlds has it. */
export const film = (title: string, genres: string[] = ['Drama']) => ({ title, year: 2_000, genres, cast: [] });

export async function codeOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { code: string }).code;
}

export class World {
  readonly origin = new ScriptedOrigin();
  readonly issuer = new Issuer();
  readonly feed: Feed;
  readonly documents = new Map<string, JsonObject>();
  readonly log: string[] = [];
  readonly contract: Contract;
  readonly #memoMs: number;
  edge!: Edge;
  scope = 'public';
  /** The number of the last write in the origin's database. */
  at = 1;
  epoch = 'a'.repeat(16);

  constructor(options: WorldOptions) {
    this.contract = options.contract ?? served;
    this.#memoMs = options.memoMs ?? memoMsUnlessSaid;
    this.feed = new Feed(this);
    this.origin.script = (seen) => this.answer(seen);
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const world = new World(options);
    await world.issuer.addKey('ed', 'EdDSA');
    const jwks = await world.issuer.jwks();
    world.origin.jwks = () => Response.json(jwks);
    const { issuer, audience } = world.issuer;
    world.edge = await startEdge({
      originUrl: world.origin.url,
      keys: testKeys,
      issuer,
      audience,
      jwksUrl: `${world.origin.url}/.well-known/jwks.json`,
      feedSilentMs: 10_000,
      ...options,
      memoMs: world.#memoMs,
      onLog: (line) => world.log.push(line),
    });
    if (options.silent !== true) await world.feed.start();
    return world;
  }

  async close(): Promise<void> {
    await this.feed.pause();
    await this.edge.close();
    await this.origin.stop();
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Response> {
    return fetch(this.edge.url + path, { method, headers });
  }

  async cacheStatus(...asking: Parameters<World['get']>): Promise<string | null> {
    return (await this.get(...asking)).headers.get('cache-status');
  }

  /** Asks until it is answered from the cache, which takes as long as a report and a memo. */
  mustHit(path: string): Promise<Response> {
    return eventually(`a hit for ${path}`, async () => {
      const answer = await this.get(path);
      const status = answer.headers.get('cache-status');
      if (status !== 'tombolo; hit') throw new Error(`${answer.status} ${status}`);
      return answer;
    }, { everyMs: 20 });
  }

  /** Asks until it is not answered from the cache any more: what `Cache-Status` says then. */
  noHit(path: string): Promise<string | null> {
    return eventually(`no hit for ${path}`, async () => {
      const status = await this.cacheStatus(path);
      return status !== 'tombolo; hit' && status;
    }, { everyMs: 20 });
  }

  /** Asks until the age of the answer, which is told in whole seconds, is one. */
  aged(path: string): Promise<Response> {
    return eventually(`an age for ${path}`, async () => {
      const answer = await this.get(path);
      return answer.headers.get('age') !== '0' && answer;
    }, { everyMs: 20 });
  }

  /** The lines of the edge's log with this in them. They come over a pipe, later than the answer they are about. */
  logged(part: string): Promise<readonly string[]> {
    return eventually(`${part} in the log`, () => {
      const lines = this.log.filter((line) => line.includes(part));
      return lines.length > 0 && lines;
    });
  }

  /** How often the origin was asked for this target. */
  asked(target: string): number {
    return this.origin.seen.filter((seen) => seen.path + seen.query === target).length;
  }

  lastAsked(): HopSeen {
    const seen = this.origin.seen.at(-1);
    if (seen === undefined) throw new Error('the origin was not asked');
    return seen;
  }

  principalAsked(): unknown {
    return JSON.parse(Buffer.from(this.lastAsked().headers.get('tombolo-principal') ?? '', 'base64url').toString());
  }

  order(at = this.at): string {
    return at.toString(16).padStart(16, '0');
  }

  position(at = this.at): string {
    return `${this.epoch}.${this.order(at)}`;
  }

  /** A `Tombolo-Position` as the origin gives it out. */
  positionToken(position = this.position()): string {
    return `${position}.${macOf(this.origin.keys[0], `tombolo-position ${position}`).subarray(0, 16).toString('base64url')}`;
  }

  resource(name: string): Resource {
    const found = this.contract.resources.get(name);
    if (found === undefined) throw new Error(`the test has no resource ${name}`);
    return found;
  }

  readHeader(resource = 'films', at = this.at): string {
    return `${this.position(at)};${this.resource(resource).digest};${this.scope}`;
  }

  /** A committed write, not yet told to the edge. */
  write(id: string, after: JsonObject | undefined, resource = 'films'): void {
    const before = this.documents.get(id);
    this.at++;
    if (after === undefined) this.documents.delete(id);
    else this.documents.set(id, after);
    for (const key of touched(this.resource(resource), id, before, after)) this.feed.raise(resource, toBucket(key), this.order());
  }

  /** A committed write that every isolate has heard of. */
  async change(id: string, after: JsonObject | undefined): Promise<void> {
    this.write(id, after);
    await this.feed.tell();
    await this.pastMemo();
  }

  /** Waits until isolates believe nothing that they have heard from the coordinator by now: its age alone decides. */
  pastMemo(): Promise<void> {
    return Bun.sleep(this.#memoMs + 20);
  }

  /** What a correct origin answers to reads; `at` is the position that it says it read at. */
  answer({ path, query, headers }: HopSeen, at = this.at): ScriptedAnswer {
    const [, , name = '', id] = path.split('/');
    // What the edge asks to find out whether an origin answers at all.
    if (path === '/') return { status: 404 };
    const read = this.readHeader(name, at);
    const body = id === undefined ? JSON.stringify({ data: this.#list(query) }) : this.#one(id);
    if (body === undefined) {
      return { status: 404, body: '{"code":"document_not_found"}', headers: { 'content-type': 'application/problem+json' }, read };
    }
    const etag = etagOf(body);
    if (headers.get('if-none-match')?.includes(etag) === true) return { status: 304, headers: { etag }, read };
    return { body, headers: { etag, 'content-type': 'application/json' }, read };
  }

  #one(id: string): string | undefined {
    const document = this.documents.get(id);
    return document === undefined ? undefined : JSON.stringify({ id, ...document });
  }

  #list(query: string): JsonObject[] {
    const genre = new URLSearchParams(query).get('genres');
    return [...this.documents]
      .filter(([, { genres }]) => genre === null || (Array.isArray(genres) && genres.includes(genre)))
      .map(([id, document]) => ({ id, ...document }));
  }
}

function etagOf(body: string): string {
  return `"${Bun.hash(body).toString(36)}"`;
}

/** The purge sink in miniature. */
class Feed {
  readonly #world: World;
  #pending: Record<string, Record<string, string>> = {};
  #through = '';
  #clock = { now: 0, at: 0 };
  #running: Promise<void> | undefined;
  #told: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(world: World) {
    this.#world = world;
  }

  raise(resource: string, bucket: number, order: string): void {
    (this.#pending[resource] ??= {})[bucket] = order;
  }

  /** Raises everything, then reports every 50 ms. */
  async start(): Promise<void> {
    await this.begin();
    await this.resume();
  }

  /** Sends no more reports, once the one under way has landed. */
  async pause(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async resume(): Promise<void> {
    await this.tell();
    this.#stopped = false;
    this.#running = this.#run();
  }

  async begin(): Promise<ReportAnswer> {
    this.#pending = {};
    this.#through = this.#world.order();
    return this.send(this.idle({ from: null }));
  }

  /** A report that nothing has happened, but for what is given. */
  idle(given: Partial<Report> = {}): Report {
    const at = this.#world.order();
    return { epoch: this.#world.epoch, from: at, through: at, asOf: null, raised: {}, whole: {}, ...given };
  }

  /** Reports everything since the last report, complete as of now, and after that one: each joins the one before. */
  tell(): Promise<ReportAnswer> {
    const told = this.#told.then(() => this.#report());
    this.#told = told.catch(() => undefined);
    return told;
  }

  async send(report: Report): Promise<ReportAnswer> {
    const answer = await this.#world.origin.report(this.#world.edge.url, report);
    this.#clock = { now: answer.now, at: performance.now() };
    return answer;
  }

  /** The coordinator's clock. */
  now(): number {
    return Math.floor(this.#clock.now + performance.now() - this.#clock.at);
  }

  async #report(): Promise<ReportAnswer> {
    const report = this.idle({ from: this.#through, asOf: this.now(), raised: this.#pending, ...toDeclared(this.#world.contract) });
    this.#pending = {};
    this.#through = report.through;
    return this.send(report);
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await Bun.sleep(50);
      if (!this.#stopped) await this.tell();
    }
  }
}
