/** The token in the header (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1). `undefined`: there is none in it. */
export function bearerOf(header: string): string | undefined {
  return /^bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
}
