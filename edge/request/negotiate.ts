/** Content negotiation (RFC 9110 §12, §8.3): what a caller sends and takes, against what an operation speaks. */
import { Fault } from '../../shared/wire/fault.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { SentHeaders } from './request-headers.ts';

export function mustAccept(header: string | null, { gives }: Operation): void {
  if (header === null || header === '*/*' || gives.some((type) => qualityOf(header, type) > 0)) return;
  throw new Fault('not_acceptable', { detail: `this answers with ${gives[0]}` });
}

/** The media type, of those that are given, which the header weighs most; of several, the one that is preferred here. */
export function mustPreferred(header: string | null, operation: Operation): string {
  mustAccept(header, operation);
  const { gives } = operation;
  if (header === null || header === '*/*') return gives[0];
  const weights = gives.map((type) => qualityOf(header, type));
  return gives[weights.indexOf(Math.max(...weights))] ?? gives[0];
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
    // A parameter that is no weight (RFC 9110 §12.4.2) says nothing.
    quality = weight !== undefined && /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 1;
  }
  return quality;
}

export function mustContentType(sent: SentHeaders, { method, takes: types }: Operation): void {
  if (types.length === 0) return;
  const [type = '', ...parameters] = (sent.get('content-type') ?? '').split(';').map((piece) => piece.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8).replaceAll('"', '');
  const encoding = sent.get('content-encoding')?.toLowerCase() ?? 'identity';
  if (encoding !== 'identity') {
    throw new Fault('media_type_unsupported', {
      detail: 'send the body without Content-Encoding',
      headers: { 'accept-encoding': 'identity' },
    });
  }
  if (types.includes(type) && (charset === undefined || charset === 'utf-8' || charset === 'utf8')) return;
  throw new Fault('media_type_unsupported', {
    detail: `this takes ${types.join(' or ')} in UTF-8`,
    headers: method === 'PATCH' ? { 'accept-patch': types.join(', ') } : { accept: types.join(', ') },
  });
}
