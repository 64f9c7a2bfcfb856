/**
 * Who sends webhooks to us (SEMANTICS §21): declared in `shared/endpoints/sources.ts`, signed in a provider's form or by an HMAC
 * of one's own. Their secrets are settings of the origin, which checks what is sent; the edge knows which headers go along.
 */

/** What an HMAC of the body as it was sent stands in, where the sender is none of the known. */
export interface OwnForm {
  /** In lower case. */
  readonly header: string;
  readonly hash: 'sha256' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  /** Stands before the MAC, as `sha256=` does. */
  readonly prefix?: string;
}

/**
 * `standard`: Standard Webhooks (https://www.standardwebhooks.com). `stripe`: https://docs.stripe.com/webhooks#verify-manually.
 * `github`: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
 */
export type Form = 'standard' | 'stripe' | 'github' | OwnForm;

export interface Source {
  /** Lower-case words with hyphens: the path `/incoming/<name>`, and the name of its secrets. */
  readonly name: string;
  readonly form: Form;
  /** Addresses and networks that it sends from; any unless said. */
  readonly addresses?: readonly string[];
  /** How far the moment that is signed may be from ours; 300 s unless said. Of forms that sign one. */
  readonly toleranceSeconds?: number;
  /** How long a delivery is known, so that it is taken once; 30 days unless said. */
  readonly keptDays?: number;
}

const named = {
  standard: ['webhook-id', 'webhook-timestamp', 'webhook-signature'],
  stripe: ['stripe-signature'],
  github: ['x-hub-signature-256', 'x-github-delivery', 'x-github-event'],
} as const;

/** In lower case. */
export function headersOf(form: Form): readonly string[] {
  return typeof form === 'string' ? named[form] : [form.header];
}
