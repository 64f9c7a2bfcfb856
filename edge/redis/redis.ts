/**
 * Scripts in Redis by Upstash's REST API: one POST runs one script, whole, beside no other. All that this project asks of Redis
 * is a script, and so one request does in place of `@upstash/redis`. `@upstash/ratelimit` counts otherwise: its sliding window is
 * an estimate from two fixed ones, and it knows of no lease, no month and no second window. Both would add 28 KB to the Worker.
 *
 * EVALSHA and EVAL go to the primary as writes do (what replicas answer is EVAL_RO), so none that is behind is heard.
 */
import type { RedisSetting } from '../../shared/settings/redis.ts';
import { edgeLimits } from '../limits.ts';

interface Reply {
  readonly result?: unknown;
  readonly error?: string;
}

export class Redis {
  readonly #setting: RedisSetting;
  /** What Redis knows a script by: the SHA-1 of its text. */
  readonly #names = new Map<string, string>();

  constructor(setting: RedisSetting) {
    this.#setting = setting;
  }

  /** Throws where there is no answer within `edgeLimits.redisMsMax`, and where it is an error. */
  async run(script: string, key: string, ...given: readonly string[]): Promise<unknown> {
    const rest = ['1', key, ...given];
    const reply = await this.#ask(['EVALSHA', await this.#nameOf(script), ...rest]);
    // A Redis that has started anew knows no script; it has run nothing then.
    const { error, result } = reply.error?.startsWith('NOSCRIPT') === true ? await this.#ask(['EVAL', script, ...rest]) : reply;
    if (error !== undefined) throw new Error(`Redis answers ${error.slice(0, 200)}`);
    return result;
  }

  async #ask(command: readonly string[]): Promise<Reply> {
    const { url, token } = this.#setting;
    const response = await fetch(url, {
      method: 'POST', body: JSON.stringify(command), redirect: 'manual', signal: AbortSignal.timeout(edgeLimits.redisMsMax),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    const reply = (await response.json().catch(() => undefined)) as Reply | undefined;
    if (reply?.error !== undefined) return { error: reply.error };
    if (!response.ok || reply?.result === undefined) throw new Error(`Redis answers ${response.status}`);
    return reply;
  }

  async #nameOf(script: string): Promise<string> {
    const known = this.#names.get(script);
    if (known !== undefined) return known;
    const name = await toHex('SHA-1', script);
    this.#names.set(script, name);
    return name;
  }
}

export async function toHex(algorithm: 'SHA-1' | 'SHA-256', text: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, new TextEncoder().encode(text))).toHex();
}

/** The start of a script: Redis's clock, in milliseconds and microseconds of the epoch. Every edge counts by it. */
export const clockOfRedis = `local time = redis.call('TIME')
local micros = time[1] * 1000000 + time[2]
local now = math.floor(micros / 1000)
`;
