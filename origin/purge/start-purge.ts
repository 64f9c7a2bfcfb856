/** The purge sink as a service: one for each edge that is told of changes. */
import type { Report, ReportAnswer } from '../../shared/hop/purge-report.ts';
import type { Context } from '../context.ts';
import type { Started } from '../services/services.ts';
import { toTrouble } from '../trouble.ts';
import { runPurge } from './purge.ts';

type Send = (report: Report, signal: AbortSignal) => Promise<ReportAnswer>;

/** An edge that does not hear of changes revalidates its answers: this process is ready all the same, and says so. */
export function startPurge({ store, feed, contract, log }: Context, edgeUrl: string, send: Send): Started<void> {
  const stop = new AbortController();
  let troubled = 0;
  let failures = 0;
  let heardAtMs = performance.now();
  const running = runPurge({
    store, feed, contract, signal: stop.signal,
    send: async (report) => {
      const answer = await send(report, stop.signal);
      if (troubled > 0) log.warn({ edgeUrl }, 'the edge hears of changes again');
      troubled = 0;
      heardAtMs = performance.now();
      return answer;
    },
    onTrouble: (message, cause) => {
      failures++;
      // The line is written when the trouble begins, then rarely: an edge that is away for an hour is one event.
      if (troubled++ % 60 === 0) log.warn({ edgeUrl, ...toTrouble(cause) }, message);
    },
  });
  return {
    value: undefined,
    stop: () => (stop.abort(), running),
    state: () => (troubled === 0 ? { ready: true } : { ready: true, detail: 'the edge does not hear of changes' }),
    // A report goes out every `reportIdleMs`, if only to say that nothing has changed.
    figures: () => ({ failures, lagSeconds: (performance.now() - heardAtMs) / 1_000 }),
  };
}
