/** `uri-host [ ":" port ]` (RFC 9110 §7.2), not empty (§4.2.1); percent-encoded names, which DNS has not, are left out. */
const host = /^(?:[\w.~!$&'()*+,;=-]+|\[[\da-f:.]+\])(?::\d*)?$/i;

/** Whether what `Host` says can be one, or nothing is said, as in HTTP/1.0 (RFC 9112 §3.2). */
export function isHost(sent: string | null): boolean {
  return sent === null || host.test(sent);
}
