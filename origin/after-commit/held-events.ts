/**
 * Events at which a hook failed, and those of the same documents behind them: they wait, in order, in an internal resource
 * into which they come with the hook's cursor, so that the hook goes on with all other documents (SEMANTICS §21).
 *
 *   told ──fails──▶ waiting ──told again, its effects committed with its end──▶ none
 *                     │  ▲ │
 *                     └──┘ └──fails attemptsMax times──▶ dead: it stays, without images, for whoever operates this
 *
 * What happens at any moment of a crash is what happens to any event: it is told at least once, and its effects are written
 * once. Where waitingMax events wait, the hook waits with them.
 */
import * as z from 'zod';
import type { DocumentChange } from '../../shared/contract/change.ts';
import { resource } from '../../shared/contract/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { formatPosition, parsePosition } from '../../shared/wire/position.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { consumerLimits, inTime } from '../feed/consumer.ts';
import type { Work } from '../feed/work.ts';
import { pause } from '../pause.ts';
import type { Figures } from '../services/figures.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { ListRequest, Mutation, Store } from '../store/store.ts';

export const heldEvents = resource({
  name: 'tombolo_hook_events', internal: true, id: { kind: 'string', format: z.string() },
  schema: z.object({
    hook: z.string(), eventId: z.string(), resource: z.string(), document: z.string(), state: z.enum(['waiting', 'dead']),
    /** In the order in which those of a document are told. */
    turn: z.int(),
    attempts: z.int(), error: z.string(),
    /** Both images, as JSON; none of a dead one. */
    images: z.string().optional(),
  }),
  shapes: { ofHook: { equal: ['hook', 'state'], sort: ['turn'] } },
});

export interface HoldLimits {
  /** Events that wait for one hook: their names are in memory, and their images in the database. */
  readonly waitingMax: number;
  readonly attemptsMax: number;
  /** The pause before an attempt is anything up to a bound that doubles from the first to the longest (full jitter). */
  readonly retryMs: { readonly first: number; readonly max: number };
}

/** Half an hour, about: an outage of what a hook asks outside is mostly over by then. */
const holdLimits: HoldLimits = { waitingMax: 1_000, attemptsMax: 20, retryMs: { first: 100, max: 300_000 } };

/** Read at once at a start: each has two images. */
const readAtOnceMax = 10;
const deadCountedMax = 10_000;

export interface HeldOptions {
  readonly hook: string;
  readonly store: Store;
  readonly limits?: HoldLimits | undefined;
  tell(change: DocumentChange, signal: AbortSignal): Promise<readonly Mutation[]>;
  onTrouble(message: string, cause: unknown): void;
}

interface Held {
  readonly id: string;
  readonly document: string;
  attempts: number;
  dueAtMs: number;
}

export class HeldEvents {
  readonly #options: HeldOptions;
  readonly #limits: HoldLimits;
  /** By document, each in order. */
  readonly #waiting = new Map<string, Held[]>();
  /** Written, and not yet known to be committed. */
  #pending: Held | undefined;
  #turn = 0;
  #dead = 0;
  #trouble: string | undefined;

  constructor(options: HeldOptions) {
    this.#options = options;
    this.#limits = options.limits ?? holdLimits;
  }

  /** What there is to say to whoever operates this. */
  get told(): readonly string[] {
    const { size } = this.#waiting;
    return [
      ...(size === 0 || this.#trouble === undefined ? [] : [this.#trouble]),
      ...(this.#count > 1 ? [`${this.#count} events of ${size === 1 ? 'a document' : `${size} documents`} wait`] : []),
      ...(this.#dead === 0 ? [] : [`events given up: ${this.#dead} (${heldEvents.name})`]),
    ];
  }

  get figures(): Figures {
    return { eventsWaiting: this.#count, eventsDead: this.#dead };
  }

  holds(document: string): boolean {
    return this.#waiting.has(document);
  }

  /** Reads what another life of the hook left. */
  async begin(): Promise<void> {
    const { hook, store } = this.#options;
    this.#waiting.clear();
    this.#pending = undefined;
    const request = toRequest(hook, 'waiting');
    let after: ListRequest['after'];
    do {
      const rows: Awaited<ReturnType<Store['list']>>['value'] = (await store.list(heldEvents, { ...request, after }, inTime())).value;
      for (const { document: { id, value } } of rows) {
        this.#add({ id, document: String(value['document']), attempts: Number(value['attempts']), dueAtMs: 0 });
        this.#turn = Math.max(this.#turn, Number(value['turn']));
      }
      after = rows.length < readAtOnceMax ? undefined : rows.at(-1)?.keys;
    } while (after !== undefined);
    this.#dead = (await store.count(heldEvents, toRequest(hook, 'dead'), deadCountedMax, inTime())).value;
  }

  /** Has a change wait, once this is committed; `undefined`: too many do. */
  hold({ id: document, resource: of, position, before, after }: DocumentChange, cause?: unknown): Mutation | undefined {
    if (this.#count >= this.#limits.waitingMax) return undefined;
    const { hook } = this.#options;
    const eventId = formatPosition(position);
    const attempts = cause === undefined ? 0 : 1;
    this.#pending = { id: `${hook} ${eventId}`, document, attempts, dueAtMs: performance.now() + this.#pauseMs(attempts) };
    if (cause !== undefined) this.#say(of, document, cause, `try ${attempts} failed`);
    return put(this.#pending.id, {
      hook, eventId, resource: of, document, state: 'waiting', turn: ++this.#turn, attempts,
      error: cause === undefined ? '' : toText(cause), images: JSON.stringify({ before, after }),
    });
  }

  committed(): void {
    if (this.#pending !== undefined) this.#add(this.#pending);
    this.#pending = undefined;
  }

  /** Tells what waits again, one at a time, until `signal`; never rejects. */
  async run(signal: AbortSignal, work: Work): Promise<void> {
    while (!signal.aborted) {
      const next = this.#next();
      const waitMs = next === undefined ? lookMs : Math.min(lookMs, next.dueAtMs - performance.now());
      if (next === undefined || waitMs > 0) await pause(waitMs, signal);
      else await this.#tellAgain(next, signal, work);
    }
  }

  get #count(): number {
    return [...this.#waiting.values()].reduce((sum, { length }) => sum + length, 0);
  }

  #add(held: Held): void {
    this.#waiting.set(held.document, [...(this.#waiting.get(held.document) ?? []), held]);
  }

  /** Of the first of each document, the one that is due first. */
  #next(): Held | undefined {
    return [...this.#waiting.values()].flatMap(([first]) => first ?? []).reduce<Held | undefined>(
      (least, each) => (least === undefined || each.dueAtMs < least.dueAtMs ? each : least), undefined,
    );
  }

  async #tellAgain(held: Held, signal: AbortSignal, work: Work): Promise<void> {
    const { store, tell } = this.#options;
    try {
      const stored = (await store.get(heldEvents, held.id, inTime())).value?.value;
      if (stored === undefined) return this.#drop(held);
      const write = (mutations: readonly Mutation[]) => writeAll(store, mutations, work.deadline(consumerLimits.writeMsMax));
      try {
        await write([...(await work.inTime((late) => tell(toChange(stored), late))), end(held.id)]);
        this.#drop(held);
      } catch (cause) {
        if (cause instanceof Fault && cause.reason === 'cursor_moved') this.#drop(held);
        else if (!signal.aborted) await this.#fail(held, stored, { cause, write });
      }
    } catch (cause) {
      // The database is away: the event has had no attempt.
      held.dueAtMs = performance.now() + this.#pauseMs(held.attempts);
      if (!signal.aborted) this.#options.onTrouble(`hook ${this.#options.hook}: what waits could not be kept`, cause);
    }
  }

  async #fail(
    held: Held, stored: JsonObject, { cause, write }: { cause: unknown; write: (mutations: readonly Mutation[]) => Promise<void> },
  ): Promise<void> {
    const attempts = held.attempts + 1;
    const isDead = attempts >= this.#limits.attemptsMax;
    const { id: _id, images, ...rest } = stored;
    const kept = isDead ? { state: 'dead' } : { images: images ?? '' };
    const failed = put(held.id, { ...rest, attempts, error: toText(cause), ...kept });
    await write([{ ...failed, decide: (before, reach) => (before === undefined ? { kind: 'keep' } : failed.decide(before, reach)) }]);
    held.attempts = attempts;
    held.dueAtMs = performance.now() + this.#pauseMs(attempts);
    this.#say(String(rest['resource']), held.document, cause, isDead ? `given up after ${attempts} tries` : `try ${attempts} failed`);
    if (!isDead) return;
    this.#dead++;
    this.#drop(held);
  }

  #drop({ document }: Held): void {
    const [, ...rest] = this.#waiting.get(document) ?? [];
    if (rest.length === 0) this.#waiting.delete(document);
    else this.#waiting.set(document, rest);
  }

  #say(of: string, document: string, cause: unknown, what: string): void {
    this.#trouble = `does not get on at ${of}/${document}: ${toText(cause)}`;
    this.#options.onTrouble(`hook ${this.#options.hook}: ${this.#trouble}; ${what}`, cause);
  }

  #pauseMs(attempts: number): number {
    const { first, max } = this.#limits.retryMs;
    return attempts === 0 ? 0 : Math.random() * Math.min(first * 2 ** (attempts - 1), max);
  }
}

/** How soon an event is seen that has come to wait. */
const lookMs = 100;

function toRequest(hook: string, state: 'waiting' | 'dead'): ListRequest {
  const sort = [{ field: 'turn', descending: false }, { field: 'id', descending: false }];
  return { equal: { hook: [hook], state: [state] }, range: undefined, sort, where: true, after: undefined, limit: readAtOnceMax };
}

function put(id: string, document: JsonObject): Mutation {
  return { resource: heldEvents, id, decide: () => ({ kind: 'put', document }) };
}

/** With it the effects of an event happen once, whoever else tells of it. */
function end(id: string): Mutation {
  const gone = new Fault('cursor_moved', { detail: 'another process has told of this event' });
  return { resource: heldEvents, id, decide: (before) => (before === undefined ? { kind: 'refuse', fault: gone } : { kind: 'remove' }) };
}

async function writeAll(store: Store, mutations: readonly Mutation[], deadline: number): Promise<void> {
  const { outcomes } = await store.write(mutations, { deadline, atomic: true });
  mustNoneBeRefused(outcomes);
}

function toChange(stored: JsonObject): DocumentChange {
  const position = parsePosition(String(stored['eventId']));
  if (position === undefined) throw new Error(`${String(stored['eventId'])} is no event`);
  const images = JSON.parse(String(stored['images'])) as Pick<DocumentChange, 'before' | 'after'>;
  return {
    kind: 'document', resource: String(stored['resource']), id: String(stored['document']),
    position, before: images.before, after: images.after,
  };
}

function toText(cause: unknown): string {
  return (cause instanceof Error ? cause.message : 'it failed').slice(0, consumerLimits.troubleCharactersMax);
}
