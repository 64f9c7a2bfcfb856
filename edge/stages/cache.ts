/**
 * The HTTP cache. Its entries never expire by time: beside each lie the generations of what it depends on,
 * and it is fresh exactly as long as the database has changed none of them (SEMANTICS: lookup, fill).
 *
 *   fresh ─────────────────▶ hit: the origin is not asked
 *   changed, or not known ─▶ asked with the stored ETag: 304 makes the entry fresh, 200 replaces it
 *   none ──────────────────▶ asked; of several at once, one
 */
import type { Context, MiddlewareHandler, Next } from 'hono';
import { fromEntry, label } from '../cache/answers.ts';
import { type Entry, isFresh } from '../cache/entry.ts';
import { fill } from '../cache/fill.ts';
import type { View } from '../cache/generations.ts';
import { type Plan, toPlan } from '../cache/plan.ts';
import type { Conditions, EdgeEnv } from '../context.ts';
import { askChanges } from '../coordinator/coordinator.ts';
import { Flights, settledWithin } from '../flights.ts';
import { edgeLimits } from '../limits.ts';

/** What was found for a plan, at one moment. */
export interface Found {
  readonly entry: Entry | undefined;
  readonly view: View | undefined;
  readonly fresh: boolean;
}

export function cache(): MiddlewareHandler<EdgeEnv> {
  const fills = new Flights<void>(edgeLimits.followMsMax);

  return async function cache(c, next) {
    const directives = c.get('sent').get('cache-control') ?? '';
    const plan = /\bno-store\b/i.test(directives) ? undefined : toPlan({ route: c.get('route'), read: c.get('read'), principal: c.get('principal'), conditions: c.get('conditions') });
    if (plan === undefined) return bypass(c, next);
    const insists = /\bno-cache\b/i.test(directives);
    let found = await look(c, plan, 'everywhere');
    // Between finding no leader and leading there is no `await`: of a crowd exactly one goes.
    for (let round = 0; insists || !found.fresh; round++) {
      const leader = insists || round === followRoundsMax ? undefined : leaderOf(fills, plan, found);
      if (leader === undefined) return lead(c, plan, found, insists, fills, next);
      await settledWithin(leader, edgeLimits.followMsMax);
      found = await look(c, plan, 'memory');
      if (found.fresh) return serve(c, plan, found, 'hit; collapsed');
    }
    serve(c, plan, found, 'hit');
  };
}

/** When a change overtook the first leader, the first of its followers leads again; then each goes itself. */
const followRoundsMax = 2;

/** Only what will be fresh can be shared, so while generations are unknown nobody waits for another. */
function leaderOf(fills: Flights<void>, plan: Plan, { view }: Found): Promise<void> | undefined {
  return view?.known === true ? fills.joinable(plan.key) : undefined;
}

/** Goes on when its client leaves: others may be waiting. */
async function lead(c: Context<EdgeEnv>, plan: Plan, found: Found, insists: boolean, fills: Flights<void>, next: Next): Promise<void> {
  const filled = fills.start(plan.key, () => fill(c, plan, found, insists ? 'request' : found.entry === undefined ? 'uri-miss' : 'stale', next));
  c.executionCtx.waitUntil(filled.catch(() => undefined));
  await filled;
}

/** What may not or need not be stored. */
async function bypass(c: Context<EdgeEnv>, next: Next): Promise<void> {
  await next();
  const { safe, verb } = c.get('route');
  const reason = safe ? 'bypass' : 'method';
  if (c.error === undefined) label(c.res, { status: `fwd=${reason}; fwd-status=${c.res.status}`, ageSeconds: 0, isPublic: false });
  // A feed is a moment, not a state: there is nothing to validate.
  if ((!safe || verb === 'changes') && c.error === undefined) c.res.headers.set('cache-control', 'no-store');
}

async function look(c: Context<EdgeEnv>, plan: Plan, where: 'everywhere' | 'memory'): Promise<Found> {
  const { generations, entries } = c.get('context');
  const asking = { ask: (resource: string, heard: Parameters<typeof askChanges>[2]) => askChanges(c.env, resource, heard), waitUntil: (work: Promise<unknown>) => c.executionCtx.waitUntil(work) };
  const view = await generations.view(plan.resource.name, plan.buckets, asking);
  const { after }: Conditions = c.get('conditions');
  const entry = entries.recall(plan.key);
  if (entry !== undefined && isFresh(entry, view, after)) return { entry, view, fresh: true };
  const loaded = where === 'memory' ? entry : await entries.load(plan.key);
  return { entry: loaded, view, fresh: loaded !== undefined && isFresh(loaded, view, after) };
}

function serve(c: Context<EdgeEnv>, { isPublic }: Plan, { entry }: Found, status: string): void {
  if (entry === undefined) throw new Error('a fresh answer has an entry');
  entry.rightAt = Date.now();
  c.res = fromEntry(c, entry, c.get('conditions').ifNoneMatch);
  label(c.res, { status, ageSeconds: Math.max(0, Math.floor((entry.rightAt - entry.validatedAt) / 1_000)), isPublic });
}

