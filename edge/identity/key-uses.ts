/**
 * When API keys were last used, to the minute: gathered here, and told to the origin together, behind an answer. A key is told
 * of once a minute by an isolate, however often it is used. What an isolate had not told when it ended is lost.
 */
import { keyLimits } from '../../shared/api-keys/limits.ts';
import { remember } from '../../shared/remember.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import { tellOrigin } from '../origin-client/tell-origin.ts';
import type { Admitted } from '../request/request.ts';
import { sleep } from '../sleep.ts';

const minuteMs = 60_000;

export class KeyUses {
  /** By key the minute that was last noted. */
  readonly #noted = new Map<string, number>();
  readonly #untold = new Map<string, number>();
  /** When the gathering began that is under way; one whose request was cancelled never ends, and another begins. */
  #gatheringSince = 0;

  note(request: Admitted, id: string): void {
    const now = Date.now();
    const minute = now - (now % minuteMs);
    if (this.#noted.get(id) === minute) return;
    remember(this.#noted, id, minute, edgeLimits.keysNotedMax);
    remember(this.#untold, id, minute, keyLimits.usesToldMax);
    if (now - this.#gatheringSince < edgeLimits.keyUsesGatheredMs * 2) return;
    this.#gatheringSince = now;
    request.waitUntil(this.#tell(request));
  }

  /** Never rejects: what could not be told is noted again when it is used again. */
  async #tell(request: Admitted): Promise<void> {
    await sleep(edgeLimits.keyUsesGatheredMs);
    this.#gatheringSince = 0;
    const used = [...this.#untold];
    this.#untold.clear();
    try {
      const status = await send(request, used);
      if (status === 204) return;
      log('warn', 'identity.key_uses_not_told', { status });
    } catch (cause) {
      log('warn', 'identity.key_uses_not_told', { cause: toLogged(cause) });
    }
    for (const [id] of used) this.#noted.delete(id);
  }
}

type Use = readonly [id: string, minute: number];

function send(request: Admitted, used: readonly Use[]): Promise<number> {
  const body = { used: used.map(([id, at]) => ({ id, at: new Date(at).toISOString() })) };
  return tellOrigin(request, { path: '/.keys/used', principal: anonymous, body });
}
