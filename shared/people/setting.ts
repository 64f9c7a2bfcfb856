/** `TOMBOLO_PEOPLE`, which edge and origin read alike. */
import { type Environment, isSafeUrl, type SettingsReader } from '../settings/reader.ts';

/** The public origin of the API, below which `/auth` is; `undefined`: people are off. */
export function readPeople(reader: SettingsReader, environment: Environment): string | undefined {
  const text = reader.optional('TOMBOLO_PEOPLE');
  if (text === '' || text === 'off') return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.origin === text && isSafeUrl(url, environment)) return text;
  reader.complain('TOMBOLO_PEOPLE', 'must be off, or the public origin of the API such as https://api.example.com');
  return undefined;
}
