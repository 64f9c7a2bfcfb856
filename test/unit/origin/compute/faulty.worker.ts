/** A thread whose calls go wrong in every way that a pool must survive. */
import { TransformTrapped } from '../../../../shared/transforms/instance.ts';
import { serve, type ThreadPort } from '../../../../origin/compute/serve.ts';

export type FaultyCalls = {
  echo: { request: string; reply: string };
  /** Sets the first word of the shared buffer, then never gives the thread back. */
  spin: { request: SharedArrayBuffer; reply: never };
  /** Waits in the thread until the first word of the shared buffer is 1. */
  hold: { request: SharedArrayBuffer; reply: string };
  fail: { request: null; reply: never };
  trap: { request: null; reply: never };
  exit: { request: null; reply: never };
};

serve<FaultyCalls>(globalThis as unknown as ThreadPort, () => ({
  echo: (text) => ({ reply: text }),
  spin: (shared) => {
    Atomics.store(new Int32Array(shared), 0, 1);
    for (;;);
  },
  hold: (shared) => {
    Atomics.wait(new Int32Array(shared), 0, 0);
    return { reply: 'held' };
  },
  fail: () => {
    throw new Error('no reason of its own');
  },
  trap: () => {
    throw new TransformTrapped('unreachable');
  },
  exit: () => process.exit(7),
}));
