/** A Worker of this folder, to run in one workerd beside the edge. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkerOptions } from 'miniflare';

export interface NeighbourOptions {
  readonly file: string;
  readonly bindings: Record<string, string | Record<string, string>>;
  readonly port: number;
}

/** As the sources here name it; in a Worker it lies beside the bundle. */
const macModule = '../../wasm/dist/mac.wasm';

export async function toNeighbour({ file, bindings, port }: NeighbourOptions): Promise<WorkerOptions> {
  const { outputs: [bundle] } = await Bun.build({
    entrypoints: [join(import.meta.dir, file)], target: 'browser', format: 'esm', external: ['*.wasm'],
  });
  if (bundle === undefined) throw new Error(`${file} was not built`);
  const contents = (await bundle.text()).replace(macModule, './mac.wasm');
  return {
    name: file.replace('.worker.ts', ''),
    modules: [
      { type: 'ESModule', path: 'bare.js', contents },
      { type: 'CompiledWasm', path: 'mac.wasm', contents: readFileSync(join(import.meta.dir, macModule)) },
    ],
    compatibilityDate: '2026-04-20',
    bindings,
    // One client is the whole load.
    ratelimits: { FLOOD: { simple: { limit: 1e9, period: 10 } } },
    // The edge does without it, too (`test/support/edge.ts`).
    stripCfConnectingIp: false,
    unsafeDirectSockets: [{ host: '127.0.0.1', port }],
  };
}
