/** A hook as a consumer of the feed: changes become events, and what it answers with becomes mutations that it may make. */
import type { Change } from '../../shared/contract/change.ts';
import { toIdValue } from '../../shared/contract/ids.ts';
import { isRemoved } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { keptNamesOf } from '../../shared/contract/system-fields.ts';
import { jobs } from '../../shared/jobs/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { formatPosition, type Position } from '../../shared/wire/position.ts';
import { copyOf, type JsonObject, ownOf } from '../../shared/wire/values.ts';
import { asDocument } from '../access/document-of.ts';
import { plannedOf } from '../access/documents-changed.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import type { Context } from '../context.ts';
import { declaredIn } from '../documents/declared.ts';
import { isServable } from '../documents/servable.ts';
import { type Consumer, consumerLimits } from '../feed/consumer.ts';
import type { Decision, Mutation } from '../store/store.ts';
import { StoredDocument } from '../store/stored-document.ts';
import type { AfterCommit, CommitEvent, Effects } from './after-commit.ts';
import { HeldEvents, type HeldOptions } from './held-events.ts';
import { HookCall } from './hook-call.ts';

/** Changes that a hook may answer one event with: they share a transaction with other writes. */
const changesMax = 256;

type DocumentChange = Extract<Change, { readonly kind: 'document' }>;

interface HookOptions extends Pick<HeldOptions, 'limits' | 'onTrouble'> {
  /** Those of all hooks of its resource. */
  readonly marks: ReadonlySet<string>;
}

interface HookRun {
  readonly consumer: Consumer;
  readonly held: HeldEvents;
}

export function toConsumer(hook: AfterCommit, context: Context, { marks, ...options }: HookOptions): HookRun {
  const call = (position: Position, signal: AbortSignal) => new HookCall(context, {
    hook, position, eventId: formatPosition(position), signal, deadline: context.now() + consumerLimits.handleMsMax,
  });
  const resync = async (why: 'history-lost' | 'resource-changed', position: Position, signal: AbortSignal) =>
    toMutations(hook, await hook.resync({ why, position }, call(position, signal)));
  const tell = async (change: Change, signal: AbortSignal): Promise<readonly Mutation[]> => {
    const { position } = change;
    if (change.kind === 'resource') return resync('resource-changed', position, signal);
    const event = toEvent(mustBeServed(context, hook.of), change, hook.marks.length === 0 ? none : marks);
    return event === undefined ? [] : toMutations(hook, await hook.handle(event, call(position, signal)), change);
  };
  const held = new HeldEvents({ hook: hook.name, store: context.store, tell, ...options });
  const consumer: Consumer = {
    name: `hook ${hook.name}`,
    changesAtOnceMax: 1,
    concerns: ({ resource }) => resource === hook.of.name,
    handle: ([change], signal) => {
      if (change === undefined) return [];
      return change.kind === 'document' && held.holds(change.id) ? mustHold(held, change) : tell(change, signal);
    },
    failed: ([change], cause) => {
      // What waits behind another event fails only where too many do.
      const mutation = change?.kind !== 'document' || held.holds(change.id) ? undefined : held.hold(change, cause);
      return mutation === undefined ? undefined : [mutation];
    },
    committed: () => held.committed(),
    begin: () => held.begin(),
    alongside: (signal, work) => held.run(signal, work),
    lost: (head, signal) => resync('history-lost', head, signal),
  };
  return { consumer, held };
}

function mustHold(held: HeldEvents, change: DocumentChange): readonly Mutation[] {
  const mutation = held.hold(change);
  if (mutation === undefined) throw new Error('as many events wait as may');
  return [mutation];
}

const none: ReadonlySet<string> = new Set();

/** `undefined`: of what is declared nothing differs but marks, if the hook itself has some. */
function toEvent(resource: Resource, change: DocumentChange, marks: ReadonlySet<string>): CommitEvent<Resource> | undefined {
  const { id, position } = change;
  const [before, after] = [change.before, change.after].map((image) =>
    image && (isRemoved(resource, image) ? null : toDeclared(resource, id, image)));
  if (before === null && after === null) return undefined;
  const passedOver = marks.size === 0 ? none : new Set([...marks, ...keptNamesOf(resource)]);
  if (before && after && differingIn(before, after).every((name) => passedOver.has(name))) return undefined;
  const shown = (document: JsonObject | null | undefined) =>
    document && isServable(resource, document) ? asDocument<Resource>(copyOf(document)) : undefined;
  return {
    kind: before === null ? 'created' : after === null ? 'deleted' : 'updated',
    id, before: shown(before), after: shown(after), position, eventId: formatPosition(position),
  };
}

function toDeclared(resource: Resource, id: string, image: JsonObject): JsonObject {
  const document = { id: toIdValue(resource, id), ...image };
  return declaredIn(resource, new StoredDocument(id, JSON.stringify(document), document)).value;
}

function differingIn(before: JsonObject, after: JsonObject): readonly string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSameJson(ownOf(before, name), ownOf(after, name)));
}

/** What the hook declares is held to here, whatever its handler's types were made to believe. */
function toMutations(hook: AfterCommit, effects: Effects, cause?: DocumentChange): readonly Mutation[] {
  if (!Array.isArray(effects)) throw new Error('a hook answers with the changes that it makes, [] where there are none');
  if (effects.length > changesMax) throw new Error(`${effects.length} changes in one answer; ${changesMax} are the most`);
  return effects.map((effect) => {
    const { mutation } = plannedOf(effect);
    const { resource: { name, system } } = mutation;
    if (name === jobs.name) return mutation;
    if (hook.writes.some((written) => written.name === name)) return mutation;
    if (name !== hook.of.name || hook.marks.length === 0) throw new Error(`it writes "${name}", which it does not declare`);
    if (cause !== undefined && (cause.before === undefined || cause.after === undefined)) {
      throw new Error(`it cannot mark "${name}": the database keeps no images, so a mark could not be told from other changes`);
    }
    const mine = new Set([...hook.marks, ...keptNamesOf({ system })]);
    return { ...mutation, decide: (found, reach) => withMarksAlone(mine, found, mutation.decide(found, reach)) };
  });
}

/** A write of anything else would be told to the hook that made it. Hooks before a write have had their turn. */
function withMarksAlone(mine: ReadonlySet<string>, found: StoredDocument | undefined, decision: Decision): Decision {
  if (decision.kind === 'keep' || decision.kind === 'refuse') return decision;
  const others = found === undefined || decision.kind === 'remove'
    ? ['the whole document']
    : differingIn(found.value, decision.document).filter((name) => !mine.has(name));
  if (others.length === 0) return decision;
  return { kind: 'refuse', fault: new Fault('misconfigured', { detail: `a mark would change ${others.join(', ')}, which is not marked` }) };
}
