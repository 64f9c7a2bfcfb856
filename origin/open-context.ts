/** Opens an origin: its services are started from the most general to the most specific, and stopped backwards. */
import { Registry } from '@prometheus-io/client';
import type pino from 'pino';
import type { Contract } from '../shared/contract/contract.ts';
import { limits } from '../shared/wire/limits.ts';
import type { AfterCommit } from './after-commit/after-commit.ts';
import { openKeptAnswers } from './answers/kept-answers.ts';
import { CallerShares } from './caller-shares.ts';
import { openComputations } from './compute/computation.ts';
import { openCompute } from './compute/open.ts';
import { beginDeparture, departureJob } from './departures/departure-job.ts';
import { startDeferrals } from './deferred/deferrals.ts';
import { startConsumer } from './feed/consumer.ts';
import { Feed } from './feed/feed.ts';
import type { Job } from './job-queue/job.ts';
import { KnownCalls } from './hop/known-calls.ts';
import { startFollowers, withJob } from './followers.ts';
import type { OriginContext } from './origin-context.ts';
import { mustBeRight, type Own } from './own.ts';
import { startGivingBack } from './given-back.ts';
import { startLoad } from './load.ts';
import { openLog } from './log.ts';
import { type Measuring, Requests } from './metrics/requests.ts';
import { startDisk } from './disk.ts';
import { mailOf } from './people/mail.ts';
import { startPeople } from './people/start.ts';
import type { ReadModel } from './read-models/read-model.ts';
import type { Figures } from './services/figures.ts';
import { Services, type ServiceState, type Started } from './services/services.ts';
import type { Settings } from './settings.ts';
import { storedBy } from './stored-resources.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { startTraces } from './traces/traces.ts';
import { toTrouble } from './trouble.ts';
import { DeliveryCounts } from './webhooks/delivery-counts.ts';
import { deliveryJob, usualTimes } from './webhooks/delivery-job.ts';

/** A service that fails to start takes those before it down, and the context does not open. */
export async function openContext(settings: Settings, contract: Contract, own: Own = {}): Promise<OriginContext> {
  const { consumers = [], afterCommits = [], readModels = [] } = own;
  const { beforeWrites, workflows, jobs, incoming } = mustBeRight(contract, own);
  const log = openLog(settings.logLevel);
  const onTrouble = (message: string, cause: unknown) => log.error(toTrouble(cause), message);
  const services = new Services({ onTrouble: (service, err) => log.error({ service, err }, 'a service did not stop well') });
  const store = await services.start('store', async () =>
    asService(
      await openStore(settings, {
        contract, afterCommits, readModels, jobs: [...jobs.values()], log, isShared: own.isOneOfSeveral === true,
      }),
      async (opened) => (await opened.head(), stateOf(opened)),
      async (opened) => ({ ...(await opened.figures()), stepsPending: opened.state().pending.length }),
    ),
  );
  if (settings.mongodbUri === undefined) await services.start('disk', () => startDisk(settings));
  const { otlpUrl } = settings;
  const traces = otlpUrl === undefined ? undefined : await services.start('traces', () => startTraces(otlpUrl));
  const compute = await services.start('compute', async () =>
    asService(await openCompute(), (opened) => opened.state(), (opened) => opened.figures()));
  const isComputed = [...jobs.values()].some(({ computes }) => computes.length > 0);
  const computations = !isComputed ? undefined : await services.start('computations', async () =>
    asService(openComputations(), (opened) => opened.state(), (opened) => opened.figures()));
  const feed = await services.start('feed', async () =>
    asService(await Feed.open({ store, onTrouble }), (opened) => opened.state(), (opened) => opened.figures()));
  for (const consumer of consumers) {
    await services.start(`consumer ${consumer.name}`, () => startConsumer(consumer, { store, feed, onTrouble }));
  }
  const load = await services.start('load', startLoad);
  await services.start('memory', async () => startGivingBack());
  const answers = openKeptAnswers({ store, contract, bytesMax: settings.answersBytesMax });
  const now = Date.now;
  const streams = new AbortController();
  const deferrals = await services.start('operations', () => startDeferrals({ store, log, now, settings, stopping: streams.signal }));
  const departs = departureJob(() => context, own.departings ?? []);
  const people = await startPeople({
    settings, services, log, now, signToken: own.signToken, departs: (subject) => beginDeparture({ store, now }, departs, subject),
  });
  const delivers: Job = deliveryJob(() => context, own.webhookTimes ?? usualTimes);
  const context: OriginContext = {
    settings, contract, plans: own.plans, people, log, now, store, feed, compute, computations, services, answers, beforeWrites, deferrals,
    load, traces, delivers, incoming, workflows, jobs, mail: mailOf(settings),
    calls: new KnownCalls(), deliveryCounts: new DeliveryCounts(),
    imports: new CallerShares({
      what: 'imports', perCallerMax: limits.importsPerCallerMax, retryAfterSeconds: limits.importRetryAfterSeconds,
    }),
    exports: new CallerShares({
      what: 'exports', perCallerMax: limits.exportsPerCallerMax, allMax: limits.exportsMax,
      retryAfterSeconds: limits.exportRetryAfterSeconds,
    }),
    streams,
    measuring: settings.metrics === undefined ? undefined : toMeasuring(),
    refusals: new Map(),
  };
  await startFollowers(context, own, { jobs: people === undefined ? jobs : withJob(jobs, departs), onTrouble });
  return context;
}

/** What is pending in the database leaves the rest to be served: the store is ready, and says what it lacks. */
function stateOf(store: Store): ServiceState {
  const { pending, open, trouble } = store.state();
  if (trouble !== undefined) return { ready: false, detail: `nothing can be written: ${trouble}` };
  if (pending.length === 0 && open.length === 0) return { ready: true };
  const what = pending.length > 0 ? 'the database is not yet' : 'stored documents are not';
  return {
    ready: true, detail: `${what} what the declaration asks for: npm run plan`,
    ...(pending.length === 0 ? {} : { pending }), ...(open.length === 0 ? {} : { open }),
  };
}

/** What is closed as a service that is stopped. */
function asService<T extends { close(): Promise<void> }>(
  value: T, state: (value: T) => ServiceState | Promise<ServiceState>, figures: (value: T) => Figures | Promise<Figures>,
): Started<T> {
  return { value, stop: () => value.close(), state: () => state(value), figures: () => figures(value) };
}

function toMeasuring(): Measuring {
  const registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
  return { registry, requests: new Requests(registry) };
}

/** A start of both may find the database a little later; in development a person waits, and is told at once. */
const awayMsMax = { production: 300_000, development: 0 } as const;

interface Storing {
  readonly contract: Contract;
  readonly afterCommits: readonly AfterCommit[];
  readonly readModels: readonly ReadModel[];
  readonly jobs: readonly Job[];
  readonly log: pino.Logger;
  readonly isShared: boolean;
}

/** MongoDB's driver is a quarter of what is loaded at a start, and is where a MongoDB is. */
async function openStore(settings: Settings, { contract, log, isShared, ...following }: Storing): Promise<Store> {
  const { environment, mongodbUri, dataDir, logBytesMax } = settings;
  const { afterCommits, readModels } = following;
  const followed = new Set([...afterCommits, ...readModels.flatMap(({ from }) => from)].map(({ of }) => of.name));
  const surroundings = {
    resources: storedBy(contract, following),
    onWarning: (message: string, facts: Readonly<Record<string, unknown>>) => log.warn(facts, message),
    onFatal: (err: Error) => {
      // The database file was replaced or cannot be repaired; exit 75 so that whoever supervises this process restarts it.
      log.fatal({ err }, 'the store is not ours any more');
      process.exit(75);
    },
  };
  if (mongodbUri === undefined) return openSqliteStore({ dataDir, logBytesMax, isShared, ...surroundings });
  const { openMongoStore } = await import('./store/mongo/mongo-store.ts');
  return openMongoStore({ uri: mongodbUri, followed, awayMsMax: awayMsMax[environment], ...surroundings });
}
