/**
 * An origin that costs little and signs as ours does: to every request the answer of a table, bound to the nonce that
 * the request brought, whoever sent it. What stands before it is measured, not it.
 */
import { mustKeyRing } from '../../shared/hop/keys.ts';
import { formatSignature, formatSignatureInput, readHeader, toAnswerMessage, toSignatureBase } from '../../shared/hop/profile.ts';

interface Table {
  readonly keys: string;
  /** The answers by path. */
  readonly films: Readonly<Record<string, string>>;
}

const [file = ''] = process.argv.slice(2);
const { keys, films } = (await Bun.file(file).json()) as Table;
const [key] = mustKeyRing(keys);
const bodies = new Map(Object.entries(films));
const [created = '{}'] = bodies.values();

/** A tag of as many bytes as the origin's. */
const etag = '"zRIEvAP4hcppyCkN-eVz_b"';
const position = '0123456789abcdef.0000000000003000';
const reading = { 'content-type': 'application/json', etag, [readHeader]: `${position};${'A'.repeat(22)};${'B'.repeat(22)}` };
const writing = {
  'content-type': 'application/json',
  etag,
  location: '/v2/films/flm_0123456789abcdef',
  'tombolo-position': `${position}.${'A'.repeat(22)}`,
};

function signed(given: Readonly<Record<string, string>>, status: number, request: Request): Record<string, string> {
  const nonce = /;nonce="([^"]+)"/.exec(request.headers.get('signature-input') ?? '')?.[1] ?? '';
  const parameters = { created: Math.floor(Date.now() / 1_000), nonce, keyId: key.id, tag: 'tombolo-answer' } as const;
  const written = toSignatureBase(toAnswerMessage(status, (name) => given[name] ?? null), Object.keys(given), parameters);
  const mac = new Bun.CryptoHasher('sha256', key.secret).update(written.base).digest('base64');
  return { ...given, 'signature-input': formatSignatureInput(written.parameters), signature: formatSignature(mac) };
}

const { port } = Bun.serve({
  hostname: '127.0.0.1', port: 0,
  async fetch(request) {
    if (request.method === 'GET') {
      return new Response(bodies.get(new URL(request.url).pathname) ?? created, { headers: signed(reading, 200, request) });
    }
    await request.arrayBuffer();
    return new Response(created, { status: 201, headers: signed(writing, 201, request) });
  },
});
process.stdout.write(`listening on ${port}\n`);
