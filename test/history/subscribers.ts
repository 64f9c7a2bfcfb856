/**
 * A client of the change feed of reviews that comes back with its last id whenever its stream ends, and now
 * and then with an older one, as a client does that had not yet kept the last. Through the edge, or straight
 * from the origin by a signed hop.
 */
import { type Position, reaches } from '../../shared/contract/position.ts';
import type { JsonObject } from '../../shared/contract/values.ts';
import { eventually } from '../support/eventually.ts';
import { EventStream, type ServerEvent } from '../support/event-stream.ts';
import type { Random } from '../support/random.ts';
import { principalHeader, signHop } from '../support/signed-hop.ts';
import { toSeen } from './documents.ts';
import type { Heard, Subscriber } from './history.ts';
import { mustPosition, type Run } from './run.ts';

export type Way = 'through the edge' | 'by the hop';

const path = '/v1/reviews/changes';
const idsRemembered = 8;

export class Listener {
  readonly #run: Run;
  readonly #name: string;
  readonly #subject: string | undefined;
  readonly #way: Way;
  readonly #random: Random;
  readonly #heard: Heard[] = [];
  readonly #ids: string[] = [];
  readonly #listening: Promise<void>;
  #stopped = false;
  #stream: EventStream | undefined;
  connections = 0;

  constructor(run: Run, subject: string | undefined, way: Way) {
    this.#run = run;
    this.#name = `${subject ?? 'anyone'} ${way}`;
    this.#subject = subject;
    this.#way = way;
    this.#random = run.random.fork();
    this.#listening = this.#listen();
  }

  get record(): Subscriber {
    return { name: this.#name, subject: this.#subject, heard: this.#heard };
  }

  /** Listens until it has passed a position, then ends; a checker finds out what is missing if it never does. */
  async finish(last: Position | undefined): Promise<void> {
    const passed = () => last === undefined || this.#heard.some(({ position }) => reaches(position, last));
    // Its last heartbeat may be of before; whoever comes anew is told where the feed stands.
    await eventually(`${this.#name} at ${last?.order}`, async () => passed() || (await this.#hangUp(), false), { msMax: 10_000, everyMs: 250 }).catch(() => undefined);
    this.#stopped = true;
    await this.#hangUp();
    await this.#listening;
  }

  async #hangUp(): Promise<void> {
    await this.#stream?.close();
  }

  async #listen(): Promise<void> {
    while (!this.#stopped) {
      try {
        this.#stream = new EventStream(await this.#connect(), { heartbeats: true });
        this.connections++;
        await this.#hearOut(this.#stream);
      } catch {
        // The origin is away, or went while it spoke: come back, as EventSource does.
      }
      await Bun.sleep(20);
    }
  }

  #connect(): Promise<Response> {
    const lastId = this.#lastId();
    const resume: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
    if (this.#way === 'through the edge') {
      const token = this.#run.tokens.get(this.#subject);
      return fetch(`${this.#run.world.edge.url}${path}`, { headers: { ...resume, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } });
    }
    const { url, init } = signHop(this.#run.world.keys, { url: `${this.#run.world.origin.url}${path}`, headers: {
      ...(this.#subject === undefined ? {} : { 'tombolo-principal': principalHeader(this.#subject, []) }),
      ...resume,
    } });
    return fetch(url, init);
  }

  /** One of them always comes back with an old id: when the log has forgotten it, it must be told so. */
  #lastId(): string | undefined {
    if (this.#way === 'by the hop' && this.#subject === undefined) return this.#ids[0];
    return this.#random.chance(0.7) ? this.#ids.at(-1) : this.#random.pick(this.#ids);
  }

  async #hearOut(stream: EventStream): Promise<void> {
    for (let event = await stream.next(); event !== undefined; event = await stream.next()) {
      this.#heard.push(toHeard(event));
      this.#ids.push(event.id);
      if (this.#ids.length > idsRemembered) this.#ids.shift();
    }
  }
}

function toHeard({ name, id, data }: ServerEvent): Heard {
  const position = mustPosition(id);
  if (name === 'heartbeat' || name === 'resync' || name === 'reconnect') return { name, position };
  const document = JSON.parse(data) as JsonObject;
  if (name === 'left' || name === 'deleted') return { name, position, id: String(document['id']) };
  const seen = toSeen(document);
  if (name !== 'created' && name !== 'updated' && name !== 'entered') throw new Error(`an event of the name ${name}`);
  return { name, position, id: seen.id, rev: seen.rev, tag: seen.whole ? seen.tag : `half of ${seen.tag}` };
}
