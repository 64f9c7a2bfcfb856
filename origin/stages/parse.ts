/** Bytes become typed values here, by the contract, and nowhere later. */
import { type Bodies, bodiesOf, mustBody } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/contract/fault.ts';
import { parseImportQuery } from '../../shared/contract/import-query.ts';
import { limits } from '../../shared/contract/limits.ts';
import { mustBeWithoutParameters } from '../../shared/contract/parameters.ts';
import { parseChangesQuery, parseFieldsQuery, parseListQuery } from '../../shared/contract/query.ts';
import { mustRoute, type Route, type Verb } from '../../shared/contract/routes.ts';
import type { Asked, Inputs } from '../call.ts';
import type { Context } from '../context.ts';
import { contentDigest } from '../hop/hmac.ts';
import type { VerifiedHop } from '../hop/verify.ts';

export function parseRoute(context: Context, hop: VerifiedHop): Route {
  return mustRoute(context.contract, hop.method, hop.path);
}

/** One parser a verb: what it does not know, it refuses by name. */
export const parsers: { readonly [V in Verb]: (asked: Asked, request: Request) => Inputs[V] | Promise<Inputs[V]> } = {
  list: ({ resource, hop }) => ({ query: parseListQuery(resource, hop.query) }),
  one: ({ resource, hop }) => ({ fields: hop.query === '' ? undefined : parseFieldsQuery(resource, hop.query) }),
  create: (asked, request) => parseBody('create', asked, request),
  replace: (asked, request) => parseBody('replace', asked, request),
  patch: (asked, request) => parseBody('patch', asked, request),
  remove: ({ hop }) => (mustBeWithoutParameters(hop.query), { bodyText: '' }),
  changes: ({ hop }) => ({ after: parseChangesQuery(hop.query) }),
  import: ({ hop }, request) => ({ onDuplicate: parseImportQuery(hop.query), stream: request.body }),
};

async function parseBody(verb: Exclude<keyof Bodies, 'id' | 'fields'>, { hop, resource }: Asked, request: Request): Promise<Inputs['create']> {
  mustBeWithoutParameters(hop.query);
  const bodyText = await mustBodyText(hop, request);
  return { bodyText, body: mustBody(bodiesOf(resource)[verb], parseJson(bodyText)) };
}

/** A buffered body is believed by its digest, which the signature covers (RFC 9530). */
async function mustBodyText(hop: VerifiedHop, request: Request): Promise<string> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > limits.bodyBytesMax) throw new Fault('body_too_large', { detail: `at most ${limits.bodyBytesMax} bytes` });
  if (hop.header('content-digest') !== contentDigest(bytes)) throw new Fault('hop_invalid', { detail: 'the body is not the one that was signed' });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not UTF-8' });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not JSON' });
  }
}
