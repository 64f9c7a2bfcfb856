/** The edge in workerd on this host, kept up, with its cache bounded. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { keepUpEdge } from '../dev/kept-up-edge.ts';
import { mustFreePorts } from '../dev/ports.ts';
import { openRunRecord } from '../dev/run-record.ts';
import type { Say } from '../dev/say-started.ts';
import { bytesUnder } from './bytes-under.ts';
import type { EdgeHostSettings } from './settings.ts';

/** A killed workerd's socket is gone within this, on a busy machine too. */
const portMsMax = 3_000;
/** workerd's Cache API forgets nothing by itself on disk: how often is looked at what it takes. */
const lookEveryMsDefault = 30_000;

export interface RunningEdge {
  close(): Promise<void>;
}

export async function runEdge(
  settings: EdgeHostSettings,
  { bundleDir, say, lookEveryMs = lookEveryMsDefault }: { readonly bundleDir: string; readonly say: Say; readonly lookEveryMs?: number },
): Promise<RunningEdge> {
  const { dataDir, host, port, variables, cacheBytesMax } = settings;
  const { record, ended } = await openRunRecord(dataDir);
  if (ended > 0) say('tombolo ended the workerd that a killed run had left');
  await mustFreePorts([{ variable: 'TOMBOLO_EDGE_PORT', port }], portMsMax);
  const cacheDir = join(dataDir, 'edge-cache');
  const empty = (): void => rmSync(cacheDir, { recursive: true, force: true });
  empty();
  const edge = await keepUpEdge({ bundleDir, host, port, variables, cacheDir, stateDir: join(dataDir, 'edge-state') }, record, say);
  const looks = setInterval(() => {
    if (bytesUnder(cacheDir) > cacheBytesMax) void edge.renew('the cache is full and begins anew', empty);
  }, lookEveryMs);
  return {
    async close() {
      clearInterval(looks);
      await edge.close();
      record.remove();
    },
  };
}
