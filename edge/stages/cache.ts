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
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { mentionsOf } from '../../shared/contract/rules.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { cacheable, fromEntry, label } from '../cache/answers.ts';
import { type Directives, parseDirectives } from '../cache/directives.ts';
import { type Entry, isFresh } from '../cache/entry.ts';
import { fill, type ForwardReason } from '../cache/fill.ts';
import type { Asking, View } from '../cache/generations.ts';
import { type Plan, toPlan } from '../cache/plan.ts';
import type { Conditions, EdgeEnv } from '../context.ts';
import { askChanges } from '../coordinator/coordinator.ts';
import { Flights } from '../flights.ts';
import { edgeLimits } from '../limits.ts';
import type { Next, Stage } from '../path.ts';

/** What was found for a plan, at one moment. */
export interface Found {
  readonly entry: Entry | undefined;
  readonly view: View | undefined;
  /** The entry, when it may be served as it is. */
  readonly fresh: Entry | undefined;
}

export function cache(): Stage {
  const fills = new Flights<void>(edgeLimits.followMsMax);

  return function cache(c, next) {
    const directives = parseDirectives(c.get('sent').get('cache-control'));
    const plan = directives.noStore ? undefined : toPlan({ route: c.get('route'), read: c.get('read'), principal: c.get('principal'), conditions: c.get('conditions') });
    if (directives.onlyIfCached && isSafe(c.get('route').operation)) return onlyStored(c, plan, directives);
    if (plan === undefined) return bypass(c, next);
    if (directives.noCache) return look(c, plan, directives, 'everywhere').then((found) => lead(c, plan, found, 'request', fills, next));
    const held = remembered(c, plan, directives);
    return held === undefined ? seek(c, plan, directives, fills, next) : serve(c, plan, held, 'hit');
  };
}

/** When a change overtook the first leader, the first of its followers leads again; then each goes itself. */
const followRoundsMax = 2;

/** Asked for where memory does not answer. */
async function seek(c: Context<EdgeEnv>, plan: Plan, directives: Directives, fills: Flights<void>, next: Next): Promise<Response> {
  let found = await look(c, plan, directives, 'everywhere');
  // Between finding no leader and leading there is no `await`: of a crowd exactly one goes.
  for (let round = 0; found.fresh === undefined; round++) {
    const leader = round === followRoundsMax ? undefined : leaderOf(fills, plan, found);
    if (leader === undefined) return lead(c, plan, found, found.entry === undefined ? 'uri-miss' : 'stale', fills, next);
    await leader;
    found = await look(c, plan, directives, 'memory');
    if (found.fresh !== undefined) return serve(c, plan, found.fresh, 'hit; collapsed');
  }
  return serve(c, plan, found.fresh, 'hit');
}

/** RFC 9111 §5.2.1.7: the origin is not asked, whatever is found. */
async function onlyStored(c: Context<EdgeEnv>, plan: Plan | undefined, directives: Directives): Promise<Response> {
  const found = plan === undefined || directives.noCache ? undefined : await look(c, plan, directives, 'everywhere');
  if (plan !== undefined && found?.fresh !== undefined) return serve(c, plan, found.fresh, 'hit');
  throw new Fault('not_cached', { detail: 'nothing that is stored answers this, and only-if-cached keeps the origin from being asked', headers: { 'cache-status': 'tombolo; detail=only-if-cached' } });
}

/** Only what will be fresh can be shared, so while generations are unknown nobody waits for another. */
function leaderOf(fills: Flights<void>, plan: Plan, { view }: Found): Promise<void> | undefined {
  return view?.known === true ? fills.join(plan.key) : undefined;
}

/** Goes on when its client leaves: others may be waiting. */
function lead(c: Context<EdgeEnv>, plan: Plan, found: Found, reason: ForwardReason, fills: Flights<void>, next: Next): Promise<Response> {
  const filled = fill(c, plan, found, reason, next);
  c.executionCtx.waitUntil(fills.start(plan.key, async () => void (await filled)).catch(() => undefined));
  return filled;
}

/** What may not or need not be stored. */
async function bypass(c: Context<EdgeEnv>, next: Next): Promise<Response> {
  const answer = await next();
  if (c.error !== undefined) return answer;
  const { operation } = c.get('route');
  label(cacheable(answer, false), `fwd=${isSafe(operation) ? 'bypass' : 'method'}; fwd-status=${answer.status}`, 0);
  // Only a state can be validated.
  if (operation.answers !== 'state') answer.headers.set('cache-control', 'no-store');
  return answer;
}

/** A hit in the isolate's memory under generations that it may believe: nobody is asked, and nobody waits. */
function remembered(c: Context<EdgeEnv>, plan: Plan, directives: Directives): Entry | undefined {
  const { generations, entries } = c.get('context');
  const entry = entries.recall(plan.key);
  if (entry === undefined || !isYoung(entry, directives) || mayHide(plan, entry)) return undefined;
  return isFresh(entry, generations.held(plan.dependencies, askingOf(c)), c.get('conditions').after) ? entry : undefined;
}

async function look(c: Context<EdgeEnv>, plan: Plan, directives: Directives, where: 'everywhere' | 'memory'): Promise<Found> {
  const { generations, entries } = c.get('context');
  const view = await generations.view(plan.dependencies, askingOf(c));
  const { after }: Conditions = c.get('conditions');
  const mayServe = (entry: Entry): boolean => isYoung(entry, directives) && !mayHide(plan, entry) && isFresh(entry, view, after);
  const entry = entries.recall(plan.key);
  if (entry !== undefined && mayServe(entry)) return { entry, view, fresh: entry };
  const loaded = where === 'memory' ? entry : await entries.load(plan.key);
  return { entry: loaded, view, fresh: loaded !== undefined && mayServe(loaded) ? loaded : undefined };
}

/** By the age that its answer tells, in whole seconds. */
function isYoung({ validatedAt }: Entry, { maxAgeSeconds }: Directives): boolean {
  return maxAgeSeconds === undefined || Math.floor((Date.now() - validatedAt) / 1_000) <= maxAgeSeconds;
}

/**
 * A stored 404 is not served where the rule may hide the document: it would be asked for anew whenever the hidden one
 * changes, and so tell that there is one (SEMANTICS §8).
 */
function mayHide({ resource }: Plan, { status }: Entry): boolean {
  return status === 404 && mentionsOf([resource.rules.read]).fields.size > 0;
}

function askingOf(c: Context<EdgeEnv>): Asking {
  return { ask: (resource, heard) => askChanges(c.env, resource, heard), waitUntil: (work) => c.executionCtx.waitUntil(work) };
}

function serve(c: Context<EdgeEnv>, plan: Plan, entry: Entry, status: string): Response {
  entry.rightAt = Date.now();
  const answer = fromEntry(c, plan, entry, c.get('conditions').ifNoneMatch);
  label(answer, status, entry.rightAt - entry.validatedAt);
  return answer;
}
