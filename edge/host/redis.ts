/** What Redis keeps for the edges that share it, behind the ports of `host.ts`, in place of Durable Objects. */
import { readRedis } from '../../shared/settings/redis.ts';
import { SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { decideInRedis, spentInRedis } from '../redis/counters.ts';
import { changesInRedis, reportToRedis } from '../redis/generations.ts';
import { Redis } from '../redis/redis.ts';
import { toRedisTickets } from '../redis/tickets.ts';
import type { Host } from './host.ts';

/** `undefined` where no Redis is set. One that is set wrongly is told by the edge's settings, which then refuse everything. */
export function toRedisKeepers(variables: Variables): Pick<Host, 'coordinator' | 'askCounter' | 'spentBy' | 'tickets'> | undefined {
  const reader = new SettingsReader(variables);
  const setting = readRedis(reader, reader.environment(reader.optional('TOMBOLO_ENV')));
  if (setting === undefined) return undefined;
  const redis = new Redis(setting);
  return {
    coordinator: {
      report: (signed) => reportToRedis(redis, signed),
      changesSince: (resource, heard) => changesInRedis(redis, resource, heard),
    },
    askCounter: (caller, ask) => decideInRedis(redis, caller, ask),
    spentBy: (caller) => spentInRedis(redis, caller),
    tickets: toRedisTickets(redis),
  };
}
