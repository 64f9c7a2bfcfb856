/** Whether an origin does its work, as its `/ready` says it: unsigned, so nothing is believed but a few words of ours. */
import { edgeLimits } from '../limits.ts';
import { bufferUpTo } from '../request/read-body.ts';

export interface Readiness {
  readonly status: 'ready' | 'unready' | 'silent';
  /** The kinds of services that do not work. */
  readonly services?: readonly string[];
}

/** Names that say nothing of what is declared or where it runs; any other service is `other`. */
const toldNames: ReadonlySet<string> = new Set(['store', 'disk', 'feed', 'compute', 'origin']);

export async function askReadiness(url: string): Promise<Readiness> {
  try {
    const signal = AbortSignal.timeout(edgeLimits.readyMsMax);
    const { status, body } = await fetch(`${url}/ready`, { signal, redirect: 'manual', cache: 'no-store' });
    if (status === 200) await body?.cancel();
    if (status === 200) return { status: 'ready' };
    const bytes = await bufferUpTo(body, edgeLimits.readyBytesMax);
    if (bytes instanceof Uint8Array) return toUnready(JSON.parse(new TextDecoder().decode(bytes)));
    await bytes.cancel();
  } catch {
    // It does not answer, or something before it does.
  }
  return { status: 'silent' };
}

/** Of states by service, as the origin has them. */
export function toUnready({ services }: { readonly services: Readonly<Record<string, { readonly ready: boolean }>> }): Readiness {
  const names = Object.entries(services).flatMap(([name, { ready }]) => (ready ? [] : [toldNames.has(name) ? name : 'other']));
  return { status: 'unready', services: [...new Set(names)] };
}
