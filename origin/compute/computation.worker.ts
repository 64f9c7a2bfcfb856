/** A thread that runs computations, one at a time: each is the default export of the file that it is told. */
import type { ComputationCalls } from './computation.ts';
import type { ThreadPort } from './serve.ts';

/** In a worker the global object is the port to its parent. */
const port = globalThis as unknown as ThreadPort;

port.onmessage = async ({ data }) => {
  if (data.type === 'start') return;
  try {
    const { file, input } = data.request as ComputationCalls['run']['request'];
    const { default: run } = (await import(file)) as { readonly default: (given: unknown) => unknown };
    port.postMessage({ type: 'reply', reply: await run(input) }, []);
  } catch (error) {
    port.postMessage({ type: 'failed', detail: String(error) }, []);
  }
};
