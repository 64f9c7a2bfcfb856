/** The edge's platform in one process: the ports of `edge/host/host.ts` over this process's memory, and a file or its store. */
import type { Database } from 'bun:sqlite';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { GenerationsCoordinator } from '../../edge/coordinator/coordinator.ts';
import type { Host } from '../../edge/host/host.ts';
import { toRedisKeepers } from '../../edge/host/redis.ts';
import type { SharedTexts } from '../store/store.ts';
import { CallerCounters } from './counters.ts';
import { openMemoryStorage } from './database.ts';
import { FloodShield } from './flood-shield.ts';
import { GenerationsInMemory } from './generations.ts';
import { toSharedCounters, toSharedSpent, toSharedTickets } from './shared-state.ts';
import { openTickets } from './tickets.ts';

/** What comes from where requests do. */
type Network = Pick<Host, 'variables' | 'toOrigin' | 'addressOf' | 'asset'>;

export interface InProcess {
  readonly host: Host;
  /** Told by the purge sink of this very process. */
  readonly coordinator: GenerationsCoordinator;
  /** Times that a caller of this process had used 80 or 100 % of a month's quota. */
  quotasUsed(): number;
}

const macPath = join(import.meta.dir, '../../wasm/dist/mac.wasm');

/** Where charges and tickets are kept where no Redis is set: in the database that other such processes use, or in a file. */
export interface Keeping {
  readonly file: Database;
  readonly shared: SharedTexts | undefined;
}

export function openHost(keeping: Keeping, floodMax: number, network: Network): InProcess {
  const coordinator = new GenerationsCoordinator(openMemoryStorage(), new GenerationsInMemory());
  const shield = new FloodShield(floodMax);
  const keepers = toKeepers(keeping, network.variables);
  let quotasUsed = 0;
  const host: Host = {
    ...network,
    macModule: new WebAssembly.Module(readFileSync(macPath)),
    coordinator: {
      // A signed report raises by max, so one that comes twice changes nothing.
      report: async ({ report }) => coordinator.report(report, Date.now()),
      changesSince: async (resource, heard) => coordinator.changesSince(resource, heard, Date.now()),
    },
    ...keepers,
    askCounter: async (caller, ask) => {
      const answer = await keepers.askCounter(caller, ask);
      if (answer.share !== undefined) quotasUsed++;
      return answer;
    },
    isWithin: (sender) => shield.isWithin(sender),
    // The edge's own memory is this process's: there is nothing behind it.
    keys: { load: async () => undefined, keep: async () => undefined },
    store: { load: async () => undefined, keep: async () => undefined },
  };
  return { host, coordinator, quotasUsed: () => quotasUsed };
}

/** Generations are this process's own in any case: it hears the feed itself. */
function toKeepers({ file, shared }: Keeping, variables: Host['variables']): Pick<Host, 'askCounter' | 'spentBy' | 'tickets'> {
  const redis = toRedisKeepers(variables);
  if (redis !== undefined) return { askCounter: redis.askCounter, spentBy: redis.spentBy, tickets: redis.tickets };
  if (shared !== undefined) {
    return { askCounter: toSharedCounters(shared), spentBy: toSharedSpent(shared), tickets: toSharedTickets(shared) };
  }
  const counters = new CallerCounters(file);
  return {
    askCounter: async (caller, ask) => counters.decide(caller, ask), spentBy: async (caller) => counters.spent(caller),
    tickets: openTickets(file),
  };
}
