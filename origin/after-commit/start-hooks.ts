/** Hooks after a commit as services: each by itself, so that one that fails holds up no other and nothing that is served. */
import type { Context } from '../context.ts';
import { type ConsumerOptions, startConsumer } from '../feed/consumer.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import type { ServiceState, Started } from '../services/services.ts';
import type { AfterCommit } from './after-commit.ts';
import type { HoldLimits } from './held-events.ts';
import { toConsumer } from './hook-consumer.ts';

export interface HookOptions {
  readonly onTrouble: ConsumerOptions['onTrouble'];
  /** Tests give times of their own. */
  readonly leaseTimes?: LeaseTimes | undefined;
  readonly holdLimits?: HoldLimits | undefined;
}

export async function startHooks(hooks: readonly AfterCommit[], context: Context, options: HookOptions): Promise<void> {
  const marks = Map.groupBy(hooks, ({ of }) => of.name);
  for (const hook of hooks) {
    const ofResource = new Set(marks.get(hook.of.name)?.flatMap((each) => each.marks));
    await context.services.start(`hook ${hook.name}`, () => startHook(hook, ofResource, context, options));
  }
}

/** Where this process has the store alone, nobody else runs the hook. */
function startHook(
  hook: AfterCommit, marks: ReadonlySet<string>, context: Context, { onTrouble, leaseTimes, holdLimits: limits }: HookOptions,
): Started<void> {
  const { store, feed } = context;
  const lease = store.isAlone ? {} : { lease: new Lease(store, `lease of hook ${hook.name}`, leaseTimes) };
  const { consumer, held } = toConsumer(hook, context, { marks, limits, onTrouble });
  const started = startConsumer(consumer, { store, feed, onTrouble, ...lease });
  // An origin whose hook fails is ready all the same, and says so: what it serves is right.
  const state = async (): Promise<ServiceState> => {
    const { detail } = await started.state();
    const told = [...(detail === undefined ? [] : [detail]), ...held.told];
    return { ready: true, ...(told.length === 0 ? {} : { detail: told.join('; ') }) };
  };
  return { ...started, state, figures: async () => ({ ...(await started.figures?.()), ...held.figures }) };
}
