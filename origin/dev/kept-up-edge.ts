/**
 * workerd that dies is started again: its state is on disk or with the origin.
 *
 *   runs ── ends unasked ──▶ started again      renew: ends in order ──▶ `between` ──▶ started again
 */
import { type EdgeOptions, type EdgeWorker, startEdgeWorker } from './edge-worker.ts';
import { askToEnd } from './processes.ts';
import type { RunRecord } from './run-record.ts';
import type { Say } from './say-started.ts';

export interface KeptUpEdge {
  /** Callers are refused until the next one listens, about a second. */
  renew(why: string, between: () => void): Promise<void>;
  close(): Promise<void>;
}

/** Until answers that workerd has begun are with their clients. */
const endMsMax = 3_000;

/** `isStopping`: a signal to the whole group of processes ends workerd too, which nobody starts again then. */
export async function keepUpEdge(
  options: EdgeOptions, record: RunRecord, say: Say, isStopping: () => boolean = () => false,
): Promise<KeptUpEdge> {
  const start = (): Promise<EdgeWorker> => startEdgeWorker(options, (found) => record.noteEdges(found));
  let edge = await start();
  let isClosing = false;
  let renewal: { readonly why: string; readonly between: () => void } | undefined;
  const keepUp = async (): Promise<void> => {
    for (;;) {
      await edge.died;
      if (isClosing || isStopping()) return;
      say(renewal === undefined ? 'workerd ended unasked; tombolo starts it again' : `${renewal.why}: workerd starts again`);
      await edge.close();
      renewal?.between();
      renewal = undefined;
      edge = await start();
    }
  };
  void keepUp().catch((cause: unknown) => {
    process.stderr.write(`tombolo: workerd does not come back: ${String(cause)}\n`);
    process.kill(process.pid, 'SIGTERM');
  });
  return {
    async renew(why, between) {
      renewal = { why, between };
      await Promise.all(edge.processes.map((named) => askToEnd(named, endMsMax)));
    },
    close() {
      isClosing = true;
      return edge.close();
    },
  };
}
