/** What a store is given unless its opener says otherwise. */
export function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}

export function ignore(): void {}

export function fail(error: Error): void {
  throw error;
}
