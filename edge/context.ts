/**
 * What an isolate keeps between requests, built once from its settings. Nothing here is shared state of record: an
 * isolate may vanish at any time.
 */
import type { Contract } from '../shared/contract/contract.ts';
import { Fault } from '../shared/wire/fault.ts';
import type { Plans } from '../shared/limits/plans.ts';
import { type EdgeSettings, mustEdgeSettings } from '../shared/settings/edge-settings.ts';
import { SettingsError } from '../shared/settings/reader.ts';
import { toUnknownVariables } from '../shared/settings/unknown-variables.ts';
import { Entries } from './cache/entries.ts';
import { Generations } from './cache/generations.ts';
import { Description } from './description/description.ts';
import type { Host } from './host/host.ts';
import { type SecurityHeaders, toSecurityHeaders } from './request/security-headers.ts';
import { Hasher } from './origin-client/hasher.ts';
import { Macs } from './origin-client/macs.ts';
import type { Origin } from './origin-client/origin-client.ts';
import { ApiKeys } from './identity/api-keys.ts';
import { Tokens } from './identity/tokens.ts';
import { log, logFrom } from './log.ts';
import { Counts } from './metrics/counts.ts';
import { DataPoints } from './metrics/data-points.ts';
import { toLimiter } from './rate-limit/counters.client.ts';
import type { Limiter } from './rate-limit/limiter.ts';
import { Reads } from './cache/cache-key.ts';
import { RecognisedRequests } from './cache/recognised.ts';
import { edgeLimits } from './limits.ts';
import { SingleFlight } from './single-flight.ts';

export interface EdgeContext {
  readonly host: Host;
  readonly settings: EdgeSettings;
  readonly contract: Contract;
  readonly plans: Plans;
  readonly limiter: Limiter;
  readonly hasher: Hasher;
  readonly macs: Macs;
  readonly tokens: Tokens;
  readonly apiKeys: ApiKeys;
  readonly origin: Origin;
  readonly generations: Generations;
  readonly entries: Entries;
  readonly reads: Reads;
  readonly recognised: RecognisedRequests;
  /** Questions to the origin that others wait for, by the name of what is kept of their answers. */
  readonly fills: SingleFlight<void>;
  readonly securityHeaders: SecurityHeaders;
  readonly description: Description;
  /** Absent: nobody looks at what would be counted. */
  readonly counts: Counts | undefined;
  readonly dataPoints: DataPoints | undefined;
}

/** What was declared: checked before it is bundled, or served in one process (`shared/checks/sound.ts`). */
export interface Served {
  readonly contract: Contract;
  readonly plans: Plans;
}

/** Throws `misconfigured` until settings are right; the log names all that is not. */
export function toContext(host: Host, { contract, plans }: Served): EdgeContext {
  try {
    for (const unknown of toUnknownVariables(host.variables)) log('warn', 'settings.unknown', { unknown });
    const settings = mustEdgeSettings(host.variables, plans.byName);
    logFrom(settings.logLevel);
    const hasher = new Hasher(host.macModule);
    const macs = new Macs(settings.keys, hasher);
    const counts = settings.metricsToken === undefined && host.writeDataPoint === undefined ? undefined : new Counts();
    const offered = withAnonymousPlan(plans, settings.anonymousPlan);
    return {
      host, settings, contract, hasher, macs, plans: offered, limiter: toLimiter(host.askCounter),
      origin: host.toOrigin({ origins: settings.origins, macs, hasher, counts }), tokens: new Tokens(settings, host.keys),
      apiKeys: new ApiKeys(),
      generations: new Generations(settings, contract),
      entries: new Entries(host.store),
      reads: new Reads(),
      recognised: new RecognisedRequests(),
      fills: new SingleFlight(edgeLimits.followMsMax),
      securityHeaders: toSecurityHeaders(settings),
      description: new Description(host, contract.versions, settings.people !== undefined),
      counts,
      dataPoints: counts === undefined || host.writeDataPoint === undefined ? undefined : new DataPoints(counts, host.writeDataPoint),
    };
  } catch (cause) {
    if (!(cause instanceof SettingsError)) throw cause;
    throw new Fault('misconfigured', { cause, facts: { settings: cause.message } });
  }
}

function withAnonymousPlan(plans: Plans, name: string): Plans {
  return { ...plans, anonymous: plans.byName.get(name) ?? plans.anonymous };
}

