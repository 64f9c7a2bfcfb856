/** Content negotiation (RFC 9110 §12, §8.3): what a caller sends and takes, against what a verb speaks. */
import { Fault } from '../shared/contract/fault.ts';
import type { Verb } from '../shared/contract/routes.ts';
import type { SentHeaders } from './sent-headers.ts';

const json = 'application/json';
const lines = 'application/x-ndjson';
const events = 'text/event-stream';
export const patchMediaType = 'application/merge-patch+json';

const taken: Readonly<Partial<Record<Verb, readonly string[]>>> = {
  create: [json],
  replace: [json],
  patch: [patchMediaType],
  import: [lines, 'text/csv'],
};

/** An import answers with lines; whoever asks for JSON alone is not turned away for it. */
const produced = (verb: Verb): readonly string[] => (verb === 'import' ? [lines, json] : verb === 'changes' ? [events] : [json]);

export function mustAccept(header: string | null, verb: Verb): void {
  if (header === null || header === '*/*') return;
  const types = produced(verb);
  if (types.some((type) => qualityOf(header, type) > 0)) return;
  throw new Fault('not_acceptable', { detail: `this answers with ${types[0]}` });
}

/** The weight of the most specific range that covers the type (RFC 9110 §12.5.1). */
function qualityOf(header: string, type: string): number {
  let quality = 0;
  let specificity = -1;
  for (const part of header.split(',')) {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const found = [`*/*`, `${type.split('/')[0]}/*`, type].indexOf(range);
    if (found <= specificity) continue;
    specificity = found;
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
    // One that is no weight (RFC 9110 §12.4.2) says nothing.
    quality = weight !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 1;
  }
  return quality;
}

export function mustContentType(sent: SentHeaders, verb: Verb): void {
  const types = taken[verb];
  if (types === undefined) return;
  const [type = '', ...parameters] = (sent.get('content-type') ?? '').split(';').map((piece) => piece.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8).replaceAll('"', '');
  const encoding = sent.get('content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') throw new Fault('media_type_unsupported', { detail: 'send the body without Content-Encoding', headers: { 'accept-encoding': 'identity' } });
  if (types.includes(type) && (charset === undefined || charset === 'utf-8' || charset === 'utf8')) return;
  throw new Fault('media_type_unsupported', {
    detail: `this takes ${types.join(' or ')} in UTF-8`,
    headers: verb === 'patch' ? { 'accept-patch': types.join(', ') } : { accept: types.join(', ') },
  });
}
