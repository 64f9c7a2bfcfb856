/**
 * API keys (SEMANTICS §20). The origin is asked for a key once; then it is a document like any other in this isolate's memory,
 * beside the generation that it was read under, so a revoked key is known to be old as soon as any changed document is.
 *
 *   text ─▶ form ─▶ in memory, fresh ─────────────────────────▶ compared ─▶ who asks
 *             │         └─ not: checksum ─▶ origin asked once ──▶   │
 *             └─ 401                └─ 401      └─ away: last known │ unless it may have changed, or 503
 *                                                                  └─ another: rotated a moment ago? origin asked once ─▶ 401
 */
import { dependenciesOfDocument } from '../../shared/contract/dependencies.ts';
import { publicScope } from '../../shared/contract/scope.ts';
import type { Credential } from '../../shared/api-keys/credential.ts';
import { idInKey, isWhole } from '../../shared/api-keys/key-text.ts';
import { isInNetwork, parseAddress, parseNetwork } from '../../shared/api-keys/networks.ts';
import { apiKeys } from '../../shared/api-keys/resource.ts';
import { remember } from '../../shared/remember.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import { type Entry, isFresh, isStorable, maySubstitute } from '../cache/entry.ts';
import type { Asking, View } from '../cache/generations.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import { isEqual } from '../origin-client/macs.ts';
import { discardReply } from '../origin-client/one-origin.ts';
import type { Reply } from '../origin-client/origin-client.ts';
import { bufferUpTo } from '../request/read-body.ts';
import type { Admitted } from '../request/request.ts';
import { traceparentOf } from '../request/traceparent.ts';
import { SingleFlight } from '../single-flight.ts';
import { keyInvalid, keyRestricted, keyUnknown } from './key-faults.ts';
import { KeyUses } from './key-uses.ts';
import type { Verified } from './tokens.ts';

/** `signedInUntil` of a key that does not expire: the last moment that there is (ECMA-262 §21.4.1.1). */
const noEnd = 8_640_000_000_000_000;
const parts = { resource: apiKeys, scope: publicScope, others: [] } as const;
const encoder = new TextEncoder();

/** A credential as it is compared with what is brought. */
interface Known extends Verified {
  readonly credential: Credential;
  readonly hash: Uint8Array;
  readonly previous: { readonly hash: Uint8Array; readonly until: number } | undefined;
}

/** Made once of each entry; of one that says that there is no such key, nothing. */
const known = new WeakMap<Entry, Known>();

export class ApiKeys {
  readonly #flights = new SingleFlight<void>(edgeLimits.followMsMax);
  readonly #uses = new KeyUses();
  /** Ids of no key, in order of use. They are many and anybody's to invent, so they never displace what is stored. */
  readonly #absent = new Map<string, Entry>();
  /** Texts that the origin, asked for it, knew as none of their key's, in order of use: none of them ever comes to be one. */
  readonly #refused = new Map<string, true>();

  /** Throws `key_invalid`, `key_restricted`, or `identity_unavailable` where nobody can say. */
  verify(request: Admitted, text: string): Verified | Promise<Verified> {
    const id = idInKey(text);
    if (id === undefined) throw keyInvalid('not an API key: tbk_, 24 hex digits, and 49 letters and digits');
    const held = this.#held(request, id);
    if (held !== undefined) return this.#compare(request, id, { entry: held, text });
    // A checksum guards nothing. It keeps what was mistyped or cut off from being asked about.
    if (!isWhole(text)) throw mistyped();
    return this.#find(request, id).then((entry) => this.#compare(request, id, { entry, text }));
  }

  /** Whom a key names that is in memory and taken; `undefined`: that is for `verify` to find out, or to refuse. */
  recall(request: Admitted, text: string): Verified | undefined {
    const id = idInKey(text);
    const held = id === undefined ? undefined : this.#held(request, id);
    const found = held === undefined ? undefined : knownOf(held);
    if (id === undefined || found === undefined || !isText(found, request, text)) return undefined;
    return refusalOf(found, request) === undefined ? found : undefined;
  }

  /** Notes that whoever was recalled asks for something by that. */
  noteUse(request: Admitted, { key }: Principal): void {
    if (key !== undefined) this.#uses.note(request, key.id);
  }

  /** That the key, by which its bearer was given something else to come with, is still good. */
  async mustStand(request: Admitted, { key }: Principal): Promise<void> {
    if (key === undefined) return;
    const found = knownOf(this.#held(request, key.id) ?? (await this.#find(request, key.id)));
    if (found === undefined) throw keyUnknown();
    mustBeTaken(request, found);
  }

  #compare(request: Admitted, id: string, { entry, text }: Brought): Verified | Promise<Verified> {
    const found = knownOf(entry);
    if (found !== undefined && isText(found, request, text)) return this.#take(request, id, found);
    if (!isWhole(text)) throw mistyped();
    if (found === undefined || this.#refused.has(text)) throw keyUnknown();
    return this.#askAgain(request, id, text);
  }

  /** A key that was rotated within the memo has a text that what is known of it here does not. */
  async #askAgain(request: Admitted, id: string, text: string): Promise<Verified> {
    const view = await request.context.generations.view(dependenciesOf(id), askingOf(request));
    const found = knownOf(await this.#ask(request, id, { entry: undefined, view }));
    if (found !== undefined && isText(found, request, text)) return this.#take(request, id, found);
    remember(this.#refused, text, true, edgeLimits.keysAbsentMax);
    throw keyUnknown();
  }

  #take(request: Admitted, id: string, found: Known): Verified {
    mustBeTaken(request, found);
    this.#uses.note(request, id);
    return found;
  }

  /** What is in memory, under generations that may be believed now. */
  #held(request: Admitted, id: string): Entry | undefined {
    const { generations } = request.context;
    const entry = this.#remembered(request, id);
    return entry === undefined ? undefined : asFresh(entry, generations.held(dependenciesOf(id), askingOf(request)));
  }

  #remembered({ context: { entries } }: Admitted, id: string): Entry | undefined {
    return this.#absent.get(id) ?? entries.recall(nameOf(id));
  }

  async #find(request: Admitted, id: string): Promise<Entry> {
    const { entries, generations } = request.context;
    const view = await generations.view(dependenciesOf(id), askingOf(request));
    const loaded = this.#remembered(request, id) ?? (await entries.load(nameOf(id)));
    const fresh = loaded && asFresh(loaded, view);
    if (fresh !== undefined) return fresh;
    const flight = this.#flights.join(id);
    // There is no `await` between finding no leader and leading, so exactly one of many requests asks the origin.
    if (flight === undefined) return this.#lead(request, id, { entry: loaded, view });
    await flight;
    return this.#held(request, id) ?? this.#ask(request, id, { entry: loaded, view });
  }

  #lead(request: Admitted, id: string, found: Found): Promise<Entry> {
    const asked = this.#ask(request, id, found);
    request.waitUntil(this.#flights.start(id, async () => void (await asked)).catch(() => undefined));
    return asked;
  }

  async #ask(request: Admitted, id: string, { entry, view }: Found): Promise<Entry> {
    const made = await askOrigin(request, id).then((reply) => toEntry(reply, view)).catch((cause: unknown) => {
      log('warn', 'identity.key_not_found_out', { requestId: request.requestId, cause: toLogged(cause) });
    });
    if (made === undefined) return this.#lastKnown(request, entry, view);
    if (isStorable(made.facts, parts, view)) this.#keep(request, id, made.entry);
    return made.entry;
  }

  #keep({ context: { entries }, waitUntil }: Admitted, id: string, entry: Entry): void {
    if (entry.status === 404) return remember(this.#absent, id, entry, edgeLimits.keysAbsentMax);
    this.#absent.delete(id);
    waitUntil(entries.store(nameOf(id), entry));
  }

  /** While the origin is away, as with answers: not what may have changed since, and not for ever. */
  #lastKnown({ context: { generations, settings } }: Admitted, entry: Entry | undefined, view: View | undefined): Entry {
    const outage = { view, gone: undefined, written: generations.lastWrite(apiKeys.name), demanded: undefined };
    if (entry !== undefined && maySubstitute(entry, { ...outage, staleMsMax: settings.staleIfErrorMs })) return entry;
    throw new Fault('identity_unavailable', {
      detail: 'API keys cannot be checked now', headers: { 'retry-after': String(edgeLimits.retryAfterSeconds) },
    });
  }
}

interface Brought {
  readonly entry: Entry;
  readonly text: string;
}

interface Found {
  readonly entry: Entry | undefined;
  /** The generations, which were asked for before the origin is. */
  readonly view: View | undefined;
}

interface Made {
  readonly entry: Entry;
  readonly facts: Reply['facts'];
}

function nameOf(id: string): string {
  return `api-key/${apiKeys.digest}/${id}`;
}

function dependenciesOf(id: string) {
  return dependenciesOfDocument(apiKeys, id);
}

function askingOf({ context: { host }, waitUntil }: Admitted): Asking {
  return { ask: host.coordinator.changesSince, waitUntil };
}

function asFresh(entry: Entry, view: View | undefined): Entry | undefined {
  if (!isFresh(entry, view, undefined)) return undefined;
  entry.rightAt = Date.now();
  return entry;
}

function askOrigin(request: Admitted, id: string): Promise<Reply> {
  const { context: { origin, contract }, requestId, deadlineAt, waitUntil } = request;
  return origin.ask({
    method: 'GET', target: { path: `/${contract.versions.current.name}/.keys/${id}`, query: '' }, safe: true, principal: anonymous,
    headers: {}, refusedAt: 4, deadlineAt, requestId, waitUntil, traceparent: traceparentOf(request),
  });
}

/** `undefined` for what is no answer to this: an origin in trouble, or of the release before, which has no such route. */
async function toEntry(reply: Reply, view: View | undefined): Promise<Made | undefined> {
  const { status, facts } = reply;
  if ((status !== 200 && status !== 404) || facts === undefined) {
    await discardReply(reply);
    return undefined;
  }
  const body = status === 200 ? await bufferUpTo(reply.body, edgeLimits.entryBytesMax) : new Uint8Array(0);
  if (status === 404) await discardReply(reply);
  if (!(body instanceof Uint8Array)) return undefined;
  const now = Date.now();
  const entry: Entry = {
    status, body, headers: [], etag: undefined, position: facts.position, generations: view?.generations ?? [],
    validatedAt: now, rightAt: now,
  };
  return { entry, facts };
}

function knownOf(entry: Entry): Known | undefined {
  const made = known.get(entry) ?? (entry.status === 404 ? undefined : toKnown(entry));
  if (made !== undefined) known.set(entry, made);
  return made;
}

function toKnown({ body }: Entry): Known {
  const credential = JSON.parse(new TextDecoder().decode(body)) as Credential;
  const { hash, previous, principal, expiresAt } = credential;
  return {
    credential, principal, expiresAt: expiresAt ?? noEnd, hash: toBytes(hash),
    previous: previous === null ? undefined : { hash: toBytes(previous.hash), until: previous.until },
  };
}

function toBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

/** Both are compared, each in constant time. */
function isText({ hash, previous }: Known, { context: { hasher } }: Admitted, text: string): boolean {
  const given = hasher.digest(encoder.encode(text));
  const isCurrent = isEqual(hash, given);
  const isPrevious = previous !== undefined && isEqual(previous.hash, given) && previous.until > Date.now();
  return isCurrent || isPrevious;
}

function mistyped(): Fault {
  return keyInvalid('the checksum of the API key does not hold: it was mistyped or cut off');
}

function mustBeTaken(request: Admitted, found: Known): void {
  const refusal = refusalOf(found, request);
  if (refusal !== undefined) throw refusal;
}

/** `undefined`: it has not expired, and is taken from where it comes. */
function refusalOf(
  { expiresAt, credential: { addresses, origins } }: Known, { raw, sent, context: { host } }: Admitted,
): Fault | undefined {
  if (expiresAt <= Date.now()) return keyInvalid('the API key has expired');
  if (addresses.length > 0 && !isWithin(host.addressOf(raw, sent), addresses)) {
    return keyRestricted('the API key is not taken from this address');
  }
  const isFromThere = origins.length === 0 || origins.includes(sent.get('origin') ?? '');
  return isFromThere ? undefined : keyRestricted('the API key is not taken from this origin');
}

/** Where nobody tells the address, it is none of those. */
function isWithin(address: string | undefined, networks: readonly string[]): boolean {
  const given = address === undefined ? undefined : parseAddress(address);
  return given !== undefined && networks.some((text) => {
    const network = parseNetwork(text);
    return network !== undefined && isInNetwork(given, network);
  });
}
