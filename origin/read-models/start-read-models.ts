/** Read models as services: each by itself, so that one that does not get on holds up nothing else that is served. */
import type { Change } from '../../shared/contract/change.ts';
import type { Context } from '../context.ts';
import { type Consumer, type ConsumerOptions, inTime, startConsumer } from '../feed/consumer.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import type { ServiceState, Started } from '../services/services.ts';
import { readModelLimits } from './limits.ts';
import { beginning, noting, progress, progressOf } from './progress.ts';
import type { ReadModel } from './read-model.ts';
import { keyIn, Rows } from './rows.ts';
import { Walk } from './walk.ts';

export interface ReadModelOptions {
  readonly onTrouble: ConsumerOptions['onTrouble'];
  /** Tests give times of their own. */
  readonly leaseTimes?: LeaseTimes | undefined;
}

export async function startReadModels(models: readonly ReadModel[], context: Context, options: ReadModelOptions): Promise<void> {
  for (const model of models) await context.services.start(`read model ${model.name}`, () => startReadModel(model, context, options));
}

/** Where this process has the store alone, nobody else makes the rows. */
function startReadModel(model: ReadModel, context: Context, { onTrouble, leaseTimes }: ReadModelOptions): Started<void> {
  const { store, feed } = context;
  const lease = store.isAlone ? {} : { lease: new Lease(store, `lease of read model ${model.name}`, leaseTimes) };
  const started = startConsumer(toConsumer(model, context, onTrouble), { store, feed, onTrouble, ...lease });
  // An origin whose read model fails is ready all the same, and says so: what it serves else is right.
  const state = async (): Promise<ServiceState> => {
    const { detail } = await started.state();
    const { value } = await store.get(progress, model.name, inTime());
    const pending = progressOf(model, value?.value)?.stage === 'complete' ? {} : { pending: [`rows of ${model.into.name}`] };
    return { ready: true, ...(detail === undefined ? {} : { detail }), ...pending };
  };
  return { ...started, state };
}

function toConsumer(model: ReadModel, context: Context, onTrouble: ConsumerOptions['onTrouble']): Consumer {
  const { name, from, into } = model;
  const rows = new Rows(model, context, onTrouble);
  const walk = new Walk(model, context, rows, onTrouble);
  const sources = new Set(from.map(({ of }) => of.name));
  return {
    name: `read model ${name}`,
    changesAtOnceMax: readModelLimits.changesAtOnceMax,
    isRepeatable: true,
    concerns: ({ resource, kind }) => sources.has(resource) || (resource === into.name && kind === 'resource'),
    handle: async (changes, signal) => {
      const last = changes.at(-1);
      if (last === undefined) return [];
      await walk.switched();
      const at = progressOf(model, (await context.store.get(progress, name, inTime())).value?.value);
      if (at === undefined || changes.some((change) => isOfUnknownKeys(model, change))) return [beginning(model)];
      const keys = [...new Set(changes.flatMap((change) => keysIn(model, change)))];
      if (keys.length === 0) return [];
      const made = await rows.make(keys, { isBeside: at.isBeside, atLeast: last.position }, signal);
      return [...made, noting(model, at, keys)];
    },
    reached: (through) => walk.reached(through),
    lost: () => [beginning(model)],
    alongside: (signal) => walk.run(signal),
  };
}

/** The keys that the document had before the change and has after it, as far as they are known. */
function keysIn(model: ReadModel, change: Change): readonly string[] {
  if (change.kind === 'resource') return [];
  const { resource, id, before, after } = change;
  return model.from.filter(({ of }) => of.name === resource).flatMap((source) =>
    [before, after].flatMap((image) => (image == null && source.by !== 'id' ? [] : keyIn(model, source, { ...image, id }) ?? [])));
}

/** Whether rows may be wrong of which nobody can say which: an image is away, or the whole resource is another. */
function isOfUnknownKeys({ from }: ReadModel, change: Change): boolean {
  if (change.kind === 'resource') return true;
  const { resource, before, after } = change;
  return (before === undefined || after === undefined) && from.some(({ of, by }) => of.name === resource && by !== 'id');
}
