/** The thread of the compute pool: one instance of the module, and a handler for each call. */
import { TransformInstance } from '../../shared/transforms/instance.ts';
import type { ComputeCalls } from './calls.ts';
import { csvStreams } from './csv-streams.ts';
import { serve, type ThreadPort } from './serve.ts';

/** In a worker the global object is the port to its parent. */
const port = globalThis as unknown as ThreadPort;

serve<ComputeCalls>(port, (module) => csvStreams(new TransformInstance(module)));
