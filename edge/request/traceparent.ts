/** The trace that the origin continues (W3C Trace Context §3.2): the caller's, or one named like the request. */
export function traceparentOf(sent: { get(name: 'traceparent'): string | null }, requestId: string): string {
  const id = requestId.slice(requestId.indexOf('_') + 1);
  return parseTraceparent(sent.get('traceparent')) ?? `00-${id}-${id.slice(16)}-00`;
}

/** A header of version 00 in full; what is not valid is replaced, not repaired. */
function parseTraceparent(header: string | null): string | undefined {
  const found = header === null ? null : /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header);
  if (found?.[1] === undefined || found[2] === undefined) return undefined;
  return /^0+$/.test(found[1]) || /^0+$/.test(found[2]) ? undefined : found[0];
}
