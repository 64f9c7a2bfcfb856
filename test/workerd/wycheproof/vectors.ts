/** The vectors of `vectors.json`; what they are says the README beside it. */

interface Vector {
  readonly id: number;
  readonly message: string;
  /** `acceptable`: legacy forms, which an implementation may take or refuse. */
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

export interface MacGroup {
  /** What is kept of a longer tag. */
  readonly tagBits: number;
  readonly tests: readonly (Vector & { readonly key: string; readonly tag: string })[];
}

export interface SignatureGroup {
  /** As tokens name it (RFC 7518 §3.1, RFC 8037 §3.1). */
  readonly algorithm: 'ES256' | 'EdDSA' | 'RS256';
  readonly key: string;
  readonly tests: readonly (Vector & { readonly signature: string })[];
}

export interface Vectors {
  readonly macs: readonly MacGroup[];
  readonly signatures: readonly SignatureGroup[];
}
