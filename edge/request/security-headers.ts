/** What every answer carries, whatever it is: for browsers, which would otherwise guess. */
import type { EdgeSettings } from '../../shared/settings/edge-settings.ts';

export type Dressing = Readonly<Record<string, string>>;

export function toDressing({ environment, corsOrigins }: EdgeSettings): Dressing {
  return {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    ...(environment === 'production' ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
    // Also those without an Origin: a stored answer of one kind must not serve the other.
    ...(corsOrigins.size > 0 ? { vary: 'Origin' } : {}),
  };
}

/** Stored answers are dressed when they are stored; the first field tells. */
export function dress(answer: Headers, dressing: Dressing): void {
  if (answer.has('x-content-type-options')) return;
  for (const [name, value] of Object.entries(dressing)) if (name === 'vary') answer.append(name, value); else answer.set(name, value);
}
