/** Entries as services, those of each shape, each by itself: one that does not get on holds up nothing else that is served. */
import { entryIndexesOf } from '../../shared/contract/entry-index.ts';
import type { Context } from '../context.ts';
import { inStore } from '../documents/in-store.ts';
import { type ConsumerOptions, startConsumer } from '../feed/consumer.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import type { ServiceState } from '../services/services.ts';
import { isFilled } from './fill.ts';
import { toEntriesConsumer } from './entries-consumer.ts';

export interface EntriesOptions {
  readonly onTrouble: ConsumerOptions['onTrouble'];
  /** Tests give times of their own. */
  readonly leaseTimes?: LeaseTimes | undefined;
}

type Serving = Pick<Context, 'contract' | 'services' | 'store' | 'feed'>;

export async function startEntries(context: Serving, options: EntriesOptions): Promise<void> {
  const { contract, services, store, feed } = context;
  const { onTrouble, leaseTimes } = options;
  for (const resource of contract.resources.values()) {
    for (const index of entryIndexesOf(resource)) {
      const shape = `${resource.name}.${index.shape.name}`;
      await services.start(`entries of ${shape}`, () => {
        const lease = store.isAlone ? {} : { lease: new Lease(store, `lease of ${index.entries.name}`, leaseTimes) };
        const consumer = toEntriesConsumer({ resource: inStore(store, resource), index, store, onTrouble });
        const started = startConsumer(consumer, { store, feed, onTrouble, ...lease });
        // What other shapes serve is right: an origin is ready without, and says so.
        const state = async (): Promise<ServiceState> => {
          const { detail } = await started.state();
          const pending = (await isFilled(store, index.entries)) ? {} : { pending: [`entries of ${shape}`] };
          return { ready: true, ...(detail === undefined ? {} : { detail }), ...pending };
        };
        return { ...started, state };
      });
    }
  }
}
