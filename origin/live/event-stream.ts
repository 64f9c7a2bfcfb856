/**
 * Server-sent events (WHATWG HTML §9.2) for one subscriber: an event per acked change that the caller may
 * see, judged on both images. `id:` is the position, also on heartbeats, so a subscriber to whom nothing
 * happens keeps a position within retention.
 *
 *   created, updated   the document as the caller may see it      entered   it has become visible to them
 *   deleted, left      the id alone                               resync    changes were missed: read again
 *   reconnect          this stream ends, at a stop, in time or with the API key of its subscriber; come back with the last id
 *
 * What was committed before this subscriber came, or was read from the store's history, is replayed; so is all until the
 * feed has been complete since, for it may hear of a commit late. A replayed event shows content only where the caller
 * may see the document as it is now; of what has since been deleted or hidden it is `left`, with the id alone
 * (SEMANTICS §13). What hid it follows under its own position.
 *
 * Pulled by the socket: a reader that stalls holds one step of changes, and no more is made for it.
 */
import type { Change, DocumentChange } from '../../shared/contract/change.ts';
import type { Position } from '../../shared/wire/position.ts';
import { toIdJson, toIdValue } from '../../shared/contract/ids.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { type Predicate, satisfies } from '../../shared/contract/rules.ts';
import { withRanksOf } from '../../shared/contract/stored-ranks.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Feed, FeedStep } from '../feed/feed.ts';
import type { Present } from '../documents/present.ts';
import { isServable } from '../documents/servable.ts';
import { StoredDocument } from '../store/stored-document.ts';

export interface Subscription {
  readonly resource: Resource;
  readonly readable: Predicate;
  readonly present: Present;
  /** Subscribers of one audience are given the same bytes: the resource, the scope, and the key that signs ids. */
  readonly audience: string;
  /** `undefined`: from now on. `null`: what the client brought is not usable. */
  readonly from: Position | undefined | null;
  /** Documents as they are now, at or after a position: those of the ids that are there. */
  standing(ids: readonly string[], atLeast: Position): Promise<readonly StoredDocument[]>;
  /** Of a subscriber who came with an API key. */
  readonly credential: StandingCredential | undefined;
  /** Whether its ids name this stream: they are no other subscriber's. */
  readonly hasOwnIds: boolean;
  token(position: Position): string;
  /** The store failed while this subscriber read from it; the stream ends as one that is asked to come back. */
  onTrouble(cause: unknown): void;
}

/** What a stream ends without. */
export interface StandingCredential {
  /** Asked once the stream has its place in the feed: the edge may have known of it a little longer than it stood. */
  stands(): Promise<boolean>;
  isEndedBy(changes: readonly Change[]): boolean;
}

/** An event without its id. */
interface Told {
  readonly name: string;
  readonly data: string;
  /** The text with an id that all subscribers without ids of their own share. */
  shared?: string;
}

/** A change as an audience is told of it, made once however many listen; `undefined`: they are not. */
const rendered = new WeakMap<Change, Map<string, Told | undefined>>();

const retryMs = 1_000;

export function openEventStream(feed: Feed, subscription: Subscription, signal: AbortSignal): ReadableStream<Uint8Array> {
  const stop = new AbortController();
  const events = toEvents(feed, subscription, AbortSignal.any([signal, stop.signal]));
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await events.next();
      if (done === true) controller.close();
      else controller.enqueue(new TextEncoder().encode(value));
    },
    cancel() {
      stop.abort();
    },
  }, { highWaterMark: 0 });
}

async function* toEvents(feed: Feed, subscription: Subscription, signal: AbortSignal): AsyncGenerator<string> {
  const from = subscription.from ?? feed.through;
  let told = from;
  let toldMs = performance.now();
  yield `retry: ${retryMs}\n${subscription.from === null ? toEvent('resync', from, '{}', subscription) : toHeartbeat(from, subscription)}`;
  try {
    const { credential } = subscription;
    const steps = stepsFrom(feed, from, signal);
    for await (const step of credential === undefined ? steps : stepsWhile(credential, steps)) {
      const text = step.kind === 'lost' ? toEvent('resync', step.through, '{}', subscription) : await toText(step, subscription);
      // A step may be all of other resources: its position is told now and then, not each time.
      const due = performance.now() - toldMs >= heartbeatGapMs && step.through.order !== told.order;
      const isHeartbeat = step.kind === 'changes' && step.changes.length === 0 && !step.late;
      if (text === '' && !due && !isHeartbeat) continue;
      told = step.through;
      toldMs = performance.now();
      yield text + toHeartbeat(step.through, subscription);
    }
  } catch (cause) {
    subscription.onTrouble(cause);
  }
  yield toEvent('reconnect', told, '{}', subscription);
}

/** `late` is what is replayed. */
async function* stepsFrom(feed: Feed, from: Position, signal: AbortSignal): AsyncGenerator<FeedStep> {
  const cameAtMs = performance.now();
  let at = from;
  for await (const step of feed.follow(from, signal, 'watermark')) {
    yield step.kind === 'lost' ? step : { ...step, late: true };
    at = step.through;
    if (step.kind === 'changes' && step.completeAtMs !== undefined && step.completeAtMs >= cameAtMs) break;
  }
  yield* feed.follow(at, signal);
}

async function* stepsWhile(credential: StandingCredential, steps: AsyncIterable<FeedStep>): AsyncGenerator<FeedStep> {
  if (!(await credential.stands())) return;
  for await (const step of steps) {
    if (step.kind === 'lost' ? !(await credential.stands()) : credential.isEndedBy(step.changes)) return;
    yield step;
  }
}

const heartbeatGapMs = 5_000;

type Changes = Extract<FeedStep, { readonly kind: 'changes' }>;

/** Gives the text of what happens now at once; a replay waits for one read of the store. */
function toText({ changes, through, late }: Changes, subscription: Subscription): string | Promise<string> {
  const ours = changes.filter((change) => change.resource === subscription.resource.name);
  if (late && ours.length > 0) return toReplayText(ours, through, subscription);
  return ours.map((change) => toChangeText(change, subscription)).join('');
}

async function toReplayText(changes: readonly Change[], through: Position, subscription: Subscription): Promise<string> {
  const shown = changes.flatMap((change) =>
    change.kind === 'document' && isShown(imageSeen(change, change.after, subscription)) ? [change.id] : [],
  );
  const standing = shown.length === 0 ? [] : await subscription.standing([...new Set(shown)], through);
  const { readable, resource } = subscription;
  const visible = standing.filter(({ value }) => satisfies(value, readable) && isServable(resource, value));
  const now: Now = new Map(visible.map((document) => [document.id, document]));
  return changes.map((change) => toReplayedText(change, subscription, now)).join('');
}

/** What the caller may see of the documents of a replay, by id. */
type Now = ReadonlyMap<string, StoredDocument>;

function isShown(image: JsonObject | null | undefined): boolean {
  return image !== null && image !== undefined;
}

function toChangeText(change: Change, subscription: Subscription): string {
  const told = toldOf(change, subscription);
  if (told === undefined) return '';
  const text = () => toEvent(told.name, change.position, told.data, subscription);
  return subscription.hasOwnIds ? text() : (told.shared ??= text());
}

function toldOf(change: Change, subscription: Subscription): Told | undefined {
  const known = rendered.get(change) ?? new Map<string, Told | undefined>();
  rendered.set(change, known);
  if (!known.has(subscription.audience)) known.set(subscription.audience, render(change, subscription));
  return known.get(subscription.audience);
}

function toReplayedText(change: Change, subscription: Subscription, now: Now): string {
  const told = render(change, subscription, now);
  return told === undefined ? '' : toEvent(told.name, change.position, told.data, subscription);
}

/** The event of a change. `now` is there in a replay. */
function render(change: Change, subscription: Subscription, now?: Now): Told | undefined {
  const resync = { name: 'resync', data: '{}' };
  if (change.kind === 'resource') return resync;
  const before = imageSeen(change, change.before, subscription);
  const after = imageSeen(change, change.after, subscription);
  // Without an image nobody can say what this caller missed, so they are told to read again.
  if (before === undefined || after === undefined) return resync;
  const idAlone = `{"id":${toIdJson(subscription.resource, change.id)}}`;
  if (after === null) {
    const isGone = change.after === null || (change.after !== undefined && isRemoved(subscription.resource, change.after));
    return before === null ? undefined : { name: isGone ? 'deleted' : 'left', data: idAlone };
  }
  const current = now?.get(change.id);
  if (now !== undefined && current === undefined) return { name: 'left', data: idAlone };
  const name = change.before === null ? 'created' : before === null ? 'entered' : 'updated';
  const dataOf = (image: JsonObject) => subscription.present(new StoredDocument(change.id, JSON.stringify(image), image), current);
  const data = dataOf(after);
  // That something changed which this caller does not see is nothing to tell them (SEMANTICS §16).
  return name === 'updated' && before !== null && dataOf(before) === data ? undefined : { name, data };
}

/** The image as far as the caller may see it: `null` where there is none, or it is not theirs or nobody's to see. */
export function imageSeen(
  change: DocumentChange,
  image: JsonObject | null | undefined,
  { resource, readable }: Pick<Subscription, 'resource' | 'readable'>,
): JsonObject | null | undefined {
  if (image === null || image === undefined) return image;
  const document = withRanksOf(image, { id: toIdValue(resource, change.id), ...image });
  return satisfies(document, readable) && isServable(resource, document) ? document : null;
}

function toEvent(name: string, position: Position, data: string, { token }: Subscription): string {
  return `event: ${name}\nid: ${token(position)}\ndata: ${data}\n\n`;
}

/** An event without data dispatches nothing and still sets the last event id (§9.2.6). */
function toHeartbeat(position: Position, { token }: Subscription): string {
  return `id: ${token(position)}\n\n`;
}
