/**
 * The HTTP cache. Its entries never expire by time: beside each lie the generations of what it depends on,
 * and it is fresh exactly as long as the database has changed none of them (SEMANTICS §1).
 *
 *   fresh ─────────────────▶ hit: the origin is not asked
 *   changed, or not known ─▶ asked with the stored ETag: 304 makes the entry fresh, 200 replaces it
 *   none ──────────────────▶ asked; of several at once, one
 *
 * What a request's own directives ask for comes on top (`directives.ts`): an answer may be fresh and too old for it.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { mentionsOf } from '../../shared/contract/rules.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { fromEntry, label, tellAge } from '../cache/answers.ts';
import { type Directives, parseDirectives } from '../cache/directives.ts';
import { type Entry, isFresh } from '../cache/entry.ts';
import { fill, type ForwardReason } from '../cache/fill.ts';
import type { View } from '../cache/generations.ts';
import { askingOf, dependenciesOf, type Lookup, toLookup } from '../cache/lookup.ts';
import type { SingleFlight } from '../single-flight.ts';
import type { Validated } from '../request/request.ts';
import type { Answer, Stage } from '../runner.ts';

/** What was found for a look-up, at one moment. */
interface Found {
  readonly entry: Entry | undefined;
  readonly view: View | undefined;
  /** The entry, when it may be served as it is. */
  readonly fresh: Entry | undefined;
}

/** What may not or need not be stored goes on to `forward`. */
export function cache(): Stage<Validated, Validated> {
  return function cache(request, next) {
    const directives = parseDirectives(request.sent.get('cache-control'));
    const lookup = directives.noStore ? undefined : toLookup(request);
    if (directives.onlyIfCached && isSafe(request.route.operation)) return onlyStored(request, lookup, directives);
    if (lookup === undefined) return next(request);
    if (directives.noCache) {
      return look(request, lookup, directives, 'everywhere').then((found) => lead(request, lookup, found, 'request'));
    }
    return answered(request, lookup, directives);
  };
}

/** From memory where what is there is fresh; else by whoever has it. */
export function answered(request: Validated, lookup: Lookup, directives: Directives): Answer {
  const held = remembered(request, lookup, directives);
  if (held === undefined) return seek(request, lookup, directives);
  request.context.recognised.keep(request, lookup);
  return serve(request, lookup, held, 'hit');
}

/** When a change overtook the first leader, the first of its followers leads again; then each goes itself. */
const followRoundsMax = 2;

/** Looks everywhere, and asks the origin where nothing fresh is found: memory alone had no answer. */
async function seek(request: Validated, lookup: Lookup, directives: Directives): Promise<Response> {
  const { fills } = request.context;
  let found = await look(request, lookup, directives, 'everywhere');
  // There is no `await` between finding no leader and leading, so exactly one of many requests asks the origin.
  for (let round = 0; found.fresh === undefined; round++) {
    const leader = round === followRoundsMax ? undefined : leaderOf(fills, lookup, found);
    if (leader === undefined) return lead(request, lookup, found, found.entry === undefined ? 'uri-miss' : 'stale');
    await leader;
    found = await look(request, lookup, directives, 'memory');
    if (found.fresh !== undefined) return serve(request, lookup, found.fresh, 'hit; collapsed');
  }
  return serve(request, lookup, found.fresh, 'hit');
}

/** RFC 9111 §5.2.1.7: the origin is not asked, whatever is found. */
async function onlyStored(request: Validated, lookup: Lookup | undefined, directives: Directives): Promise<Response> {
  const found = lookup === undefined || directives.noCache ? undefined : await look(request, lookup, directives, 'everywhere');
  if (lookup !== undefined && found?.fresh !== undefined) return serve(request, lookup, found.fresh, 'hit');
  throw new Fault('not_cached', {
    detail: 'nothing that is stored answers this, and only-if-cached keeps the origin from being asked',
    headers: { 'cache-status': 'tombolo; detail=only-if-cached' },
  });
}

/**
 * Only what will be fresh can be shared, so while generations are unknown nobody waits for another; nor for the first answer
 * of an endpoint, which may be one that is not kept.
 */
function leaderOf(fills: SingleFlight<void>, lookup: Lookup, { entry, view }: Found): Promise<void> | undefined {
  return view?.known === true && (entry !== undefined || !lookup.isStated) ? fills.join(lookup.key) : undefined;
}

/** Asks for all that wait, and goes on when its client leaves. */
function lead(request: Validated, lookup: Lookup, found: Found, reason: ForwardReason): Promise<Response> {
  const { fills } = request.context;
  const filled = fill(request, lookup, found, reason);
  request.waitUntil(fills.start(lookup.key, async () => void (await filled)).catch(() => undefined));
  return filled;
}

/** A hit in the isolate's memory under generations that it may believe: nobody is asked, and nobody waits. */
export function remembered(request: Validated, lookup: Lookup, directives: Directives): Entry | undefined {
  const { generations, entries } = request.context;
  const entry = entries.recall(lookup.key);
  if (entry === undefined || !isYoung(entry, directives) || mayHide(lookup, entry)) return undefined;
  return isFresh(entry, generations.held(dependenciesOf(lookup, entry), askingOf(request)), request.demanded) ? entry : undefined;
}

async function look(request: Validated, lookup: Lookup, directives: Directives, where: 'everywhere' | 'memory'): Promise<Found> {
  const { generations, entries } = request.context;
  const mayServe = (entry: Entry, view: View | undefined): boolean =>
    isYoung(entry, directives) && !mayHide(lookup, entry) && isFresh(entry, view, request.demanded);
  const entry = entries.recall(lookup.key);
  const view = await generations.view(dependenciesOf(lookup, entry), askingOf(request));
  if (entry !== undefined && mayServe(entry, view)) return { entry, view, fresh: entry };
  const loaded = where === 'memory' ? entry : await entries.load(lookup.key);
  // Another isolate's may depend on other buckets than the one in memory.
  const isOther = lookup.isStated && loaded !== entry;
  const seen = isOther ? await generations.view(dependenciesOf(lookup, loaded), askingOf(request)) : view;
  return { entry: loaded, view: seen, fresh: loaded !== undefined && mayServe(loaded, seen) ? loaded : undefined };
}

/** Compares the `Age` that the answer would carry, in whole seconds, with the request's `max-age`. */
function isYoung({ validatedAt }: Entry, { maxAgeSeconds }: Directives): boolean {
  return maxAgeSeconds === undefined || Math.floor((Date.now() - validatedAt) / 1_000) <= maxAgeSeconds;
}

/**
 * A stored 404 is not served where the rule may hide the document: it would be asked for anew whenever the hidden one
 * changes, and so tell that there is one (SEMANTICS §8).
 */
function mayHide({ resource, others }: Lookup, { status }: Entry): boolean {
  return status === 404 && mentionsOf([resource, ...others.map((other) => other.resource)].map(({ rules }) => rules.read)).fields.size > 0;
}

export function serve(request: Validated, lookup: Lookup, entry: Entry, status: string): Response {
  entry.rightAt = Date.now();
  const answer = fromEntry(request, lookup, entry);
  const ageMs = entry.rightAt - entry.validatedAt;
  if (status !== 'hit') label(answer, status, ageMs);
  else if (ageMs >= 1_000) tellAge(answer, ageMs);
  return answer;
}
