/** The supervisor's port for whoever operates it: what its processes tell of themselves, as one text. */
import { Counter, Gauge, Registry } from '@prometheus-io/client';
import type { Logger } from 'pino';
import { targetOf } from '../host-and-target.ts';
import { mustListen } from '../metrics/listen.ts';
import { liveness, toReadiness } from '../readiness.ts';
import type { MetricsAddress } from '../settings.ts';
import type { Fleet, FleetMember } from './fleet.ts';
import { mergeMetrics } from './merge-metrics.ts';

/** One that does not tell in time is left out of this scrape. */
const tellMsMax = 2_000;

export function listenForOperators(fleet: Fleet, address: MetricsAddress, log: Logger): void {
  const registry = new Registry(Registry.OPENMETRICS_CONTENT_TYPE);
  const told = {
    processes: new Gauge({
      name: 'tombolo_processes', help: 'Processes of this supervisor that serve', registers: [registry], labelNames: [],
    }),
    replaced: new Counter({
      name: 'tombolo_processes_replaced', help: 'Processes that others took the place of, by why',
      registers: [registry], labelNames: ['cause'],
    }),
  };
  const scrape = async (): Promise<string> => {
    told.processes.set(fleet.members.filter(({ isServing }) => isServing).length);
    told.replaced.reset();
    for (const [cause, count] of Object.entries(fleet.replaced)) told.replaced.inc({ cause }, count);
    const texts = await Promise.all(fleet.members.map(metricsOf));
    return mergeMetrics([await registry.metrics(), ...texts.filter((text) => text !== undefined)]);
  };
  mustListen(address, log, async (request) => {
    const headers = { 'cache-control': 'no-store' };
    const path = request.method === 'GET' ? targetOf(request) : '';
    if (path === '/metrics') return new Response(await scrape(), { headers: { ...headers, 'content-type': registry.contentType } });
    if (path === '/live') return liveness();
    if (path === '/ready') return readiness(fleet);
    return new Response('not found\n', { status: 404, headers });
  });
}

/** 200 while one serves with all its services, and no stop was asked for (SEMANTICS §22). */
function readiness({ members, isStopping }: Fleet): Response {
  const ready = !isStopping && members.some(({ isServing, standing }) => isServing && standing?.unready.length === 0);
  const processes = members.map(({ number, pid, isServing, standing }) => ({
    process: number, pid, serves: isServing, bytes: standing?.bytes, unready: standing?.unready,
  }));
  return toReadiness(ready, { supervisor: process.pid, processes });
}

async function metricsOf({ metricsPort }: FleetMember): Promise<string | undefined> {
  if (metricsPort === undefined) return undefined;
  try {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { signal: AbortSignal.timeout(tellMsMax) });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}
