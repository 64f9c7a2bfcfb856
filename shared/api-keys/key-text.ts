/**
 * The text of an API key (SEMANTICS §20): shown once, and kept as its SHA-256 alone.
 *
 *   tbk_  24 hex digits   43 letters and digits   6 letters and digits
 *         the key's id    256 random bits         CRC-32 of all that stands before
 *
 * The prefix and the checksum are for scanners of leaked secrets and for whoever types: they guard nothing, and tell a broken
 * key without anybody being asked.
 */
const prefix = 'tbk_';
const form = /^tbk_([0-9a-f]{24})[0-9A-Za-z]{49}$/;
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^43 is a little more than 2^256. */
const secretCharacters = 43;
const checksumCharacters = 6;

export function isLikeApiKey(token: string): boolean {
  return token.startsWith(prefix);
}

/** The id in a text of the right form; its checksum is not looked at. */
export function idInKey(text: string): string | undefined {
  return form.exec(text)?.[1];
}

export function isWhole(text: string): boolean {
  const end = text.length - checksumCharacters;
  return toChecksum(text.slice(0, end)) === text.slice(end);
}

/** `random` gives so many random bytes. */
export function toKeyText(id: string, random: (bytes: number) => Uint8Array): string {
  let secret = '';
  // A byte past the last multiple of 62 would make some letters likelier than others.
  while (secret.length < secretCharacters) for (const byte of random(64)) if (byte < 248) secret += alphabet[byte % 62];
  const text = `${prefix}${id}${secret.slice(0, secretCharacters)}`;
  return text + toChecksum(text);
}

/** The moment, and then random digits: ids stand in the order of their making. */
export function toKeyId(nowMs: number, random: (bytes: number) => Uint8Array): string {
  const digits = Array.from(random(6), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return nowMs.toString(16).padStart(12, '0') + digits;
}

function toChecksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let count = 0; count < checksumCharacters; count++) {
    digits = `${alphabet[rest % 62]}${digits}`;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** CRC-32 as zip has it (RFC 1952 §8), of ASCII. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
