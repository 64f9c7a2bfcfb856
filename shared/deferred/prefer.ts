/** `Prefer: respond-async` (RFC 7240 §4.1): preferences by commas, names in any case, and what is quoted names none (§2). */
export function prefersAsync(header: string | null): boolean {
  if (header === null) return false;
  const names = header.replace(/"(?:[^"\\]|\\.)*"/g, '').split(',').map((each) => each.split(/[;=]/, 1)[0]?.trim().toLowerCase());
  return names.includes('respond-async');
}
