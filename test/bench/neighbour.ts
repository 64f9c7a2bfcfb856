/** A Worker of this folder, to run in one workerd beside the edge. */
import { join } from 'node:path';
import type { WorkerOptions } from 'miniflare';

export interface NeighbourOptions {
  readonly file: string;
  readonly bindings: Record<string, string | Record<string, string>>;
  readonly port: number;
}

export async function toNeighbour({ file, bindings, port }: NeighbourOptions): Promise<WorkerOptions> {
  const { outputs: [bundle] } = await Bun.build({ entrypoints: [join(import.meta.dir, file)], target: 'browser', format: 'esm' });
  if (bundle === undefined) throw new Error(`${file} was not built`);
  const contents = await bundle.text();
  return {
    name: file.replace('.worker.ts', ''),
    modules: [{ type: 'ESModule', path: 'bare.js', contents }],
    compatibilityDate: '2026-04-20',
    bindings,
    // The edge does without it, too (`test/support/edge.ts`).
    stripCfConnectingIp: false,
    unsafeDirectSockets: [{ host: '127.0.0.1', port }],
  };
}
