/** A port that processes share is refused by nobody: what another program has is found before the first begins. */
import type { Settings } from '../settings.ts';

/** Processes whose supervisor was killed drain and let go of the port within this. */
const patienceMs = 11_000;

/** Throws EADDRINUSE, as `Bun.serve` does. */
export async function mustFreePort({ originHost: hostname, originPort: port }: Settings): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
      return;
    } catch (cause) {
      if ((cause as { code?: string }).code !== 'EADDRINUSE' || performance.now() > until) throw cause;
    }
    await Bun.sleep(100);
  }
}
