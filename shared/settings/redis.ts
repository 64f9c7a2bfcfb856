/** Redis by Upstash's REST API in place of the Durable Objects: both variables, by the names that Upstash gives them, or neither. */
import { type Environment, isSafeUrl, type SettingsReader } from './reader.ts';

export interface RedisSetting {
  readonly url: string;
  readonly token: string;
}

export const redisVariables = ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'] as const;

/** `undefined`: neither is set, or the reader has found one wrong. */
export function readRedis(reader: SettingsReader, environment: Environment): RedisSetting | undefined {
  const [urlVariable, tokenVariable] = redisVariables;
  const [text, token] = [reader.optional(urlVariable), reader.optional(tokenVariable)];
  if (text === '' && token === '') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isUrl = url !== undefined && isSafeUrl(url, environment) && url.username === '' && url.search === '' && url.hash === '';
  if (!isUrl) reader.complain(urlVariable, `must be an https URL; it is set with ${tokenVariable}, or neither is`);
  const isToken = /^[!-~]{8,1024}$/.test(token);
  if (!isToken) reader.complain(tokenVariable, `must be 8 to 1024 printable characters without spaces; it is set with ${urlVariable}`);
  return isUrl && isToken ? { url: url.href, token } : undefined;
}
