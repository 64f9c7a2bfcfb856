/**
 * A client of the change feed of reviews that comes back with its last id whenever its stream ends, and now
 * and then with an older one, as a client does that had not yet kept the last.
 */
import { type Position, reaches } from '../../../shared/wire/position.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { eventually } from '../../support/eventually.ts';
import { EventStream, type ServerEvent } from '../../support/event-stream.ts';
import type { Random } from '../../support/random.ts';
import { toSeen } from './documents.ts';
import type { Heard, Subscriber } from './history.ts';
import type { Door } from './door.ts';
import { mustPosition } from './position-token.ts';
import type { Run } from './run.ts';

export interface ListenerOptions {
  readonly subject: string | undefined;
  readonly door: Door;
  /** Comes back with the oldest id that it knows: when the log has forgotten it, it must be told so. */
  readonly isForgetful?: boolean;
  /** Hangs up by itself after so many words at most, as a client does that goes to sleep; never unless said. */
  readonly wordsMax?: number;
}

const path = '/v2/reviews/changes';
const idsRemembered = 8;

export class Listener {
  readonly #run: Run;
  readonly #options: ListenerOptions;
  readonly #random: Random;
  readonly #heard: Heard[] = [];
  readonly #ids: string[] = [];
  readonly #listening: Promise<void>;
  #stopped = false;
  #stream: EventStream | undefined;
  connections = 0;

  constructor(run: Run, options: ListenerOptions) {
    this.#run = run;
    this.#options = options;
    this.#random = run.random.fork();
    this.#listening = this.#listen();
  }

  get record(): Subscriber {
    return { name: this.#name, subject: this.#options.subject, heard: this.#heard };
  }

  /** Listens until it has passed a position, then ends; a checker finds out what is missing if it never does. */
  async finish(last: Position | undefined): Promise<void> {
    const passed = () => last === undefined || this.#heard.some(({ position }) => reaches(position, last));
    await eventually(`${this.#name} at ${last?.order}`, passed, { everyMs: 5 }).catch(() => undefined);
    this.#stopped = true;
    await this.#hangUp();
    await this.#listening;
  }

  get #name(): string {
    const { subject, door, isForgetful } = this.#options;
    return `${subject ?? 'anyone'} ${door.name}${isForgetful === true ? ', forgetful' : ''}`;
  }

  async #hangUp(): Promise<void> {
    await this.#stream?.close();
  }

  async #listen(): Promise<void> {
    while (!this.#stopped && !this.#run.abandoned) {
      try {
        this.#stream = new EventStream(await this.#connect(), { heartbeats: true });
        this.connections++;
        // The run may have ended while it connected.
        if (this.#stopped || this.#run.abandoned) await this.#hangUp();
        else await this.#hearOut(this.#stream);
      } catch {
        // The origin is away, or went while it spoke: come back, as EventSource does.
      }
      await Bun.sleep(20);
    }
  }

  #connect(): Promise<Response> {
    const lastId = this.#lastId();
    const resume: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
    return this.#options.door.send(path, { subject: this.#options.subject, headers: resume }).response;
  }

  #lastId(): string | undefined {
    if (this.#options.isForgetful === true) return this.#ids[0];
    return this.#random.chance(0.7) ? this.#ids.at(-1) : this.#random.pick(this.#ids);
  }

  async #hearOut(stream: EventStream): Promise<void> {
    const { wordsMax } = this.#options;
    let words = wordsMax === undefined ? Number.POSITIVE_INFINITY : 1 + this.#random.below(wordsMax);
    for (let event = await stream.next(), isFirst = true; event !== undefined; event = await stream.next(), isFirst = false) {
      this.#heard.push({ ...toHeard(event), isFirst });
      this.#ids.push(event.id);
      if (this.#ids.length > idsRemembered) this.#ids.shift();
      if (--words <= 0 && !this.#stopped) return stream.close();
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
