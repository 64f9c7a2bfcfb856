/** The security headers of every answer. */
import type { EdgeSettings } from '../../shared/settings/edge-settings.ts';

export type SecurityHeaders = Readonly<Record<string, string>>;

export function toSecurityHeaders({ environment, corsOrigins }: EdgeSettings): SecurityHeaders {
  return {
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    ...(environment === 'production' ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
    // Answers to requests without an Origin vary too: one that was stored for them must not serve a page of an origin.
    ...(corsOrigins.size > 0 ? { vary: 'Origin' } : {}),
  };
}

/** A stored answer has had these headers since it was stored: the first of them tells. */
export function setSecurityHeaders(answer: Headers, securityHeaders: SecurityHeaders): void {
  if (answer.has('x-content-type-options')) return;
  for (const [name, value] of Object.entries(securityHeaders)) {
    if (name === 'vary') answer.append(name, value);
    else answer.set(name, value);
  }
}
