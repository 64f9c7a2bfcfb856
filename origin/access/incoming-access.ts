/**
 * What the handler of a webhook is given: the one way in. What is not proven to be of a declared source is one refusal, whatever
 * is wrong with it, and leaves nothing; the log has why. What is proven is there with its job, in one write, before it is answered.
 */
import { isInNetwork, parseAddress, parseNetwork } from '../../shared/api-keys/networks.ts';
import type { incomingOperations } from '../../shared/incoming/operations.ts';
import { received } from '../../shared/incoming/resource.ts';
import type { Source } from '../../shared/incoming/source.ts';
import { jobLimits } from '../../shared/jobs/limits.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer, Asked, Call } from '../call.ts';
import type { OriginContext } from '../origin-context.ts';
import { writeRecorded } from '../documents/write-one.ts';
import type { Incoming } from '../incoming/event.ts';
import { type Proven, proven } from '../incoming/signatures.ts';
import { enqueuing } from '../job-queue/enqueue.ts';
import type { Mutation } from '../store/store.ts';

/** What the edge tells of the request. */
interface Told {
  readonly address: string | null;
  readonly headers: Readonly<Record<string, string | null>>;
}

export class IncomingAccess {
  readonly #context: OriginContext;
  readonly #call: Asked;

  constructor(context: OriginContext, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  /** A delivery that was taken before is answered like any, so that its sender is content, and nothing is done. */
  async receive({ input, body: { text, value } }: Call<typeof incomingOperations.receive>): Promise<Answer> {
    const { id: name } = this.#call;
    const nowMs = this.#context.now();
    const incoming = this.#context.incoming.get(name);
    if (incoming === undefined) throw unproven('no such source');
    const told = toTold(input);
    if (told === undefined) throw unproven('without its headers');
    mustComeFrom(incoming.source, told);
    const secrets = this.#context.settings.incomingSecrets.get(name) ?? [];
    if (secrets.length === 0) throw new Fault('misconfigured', { detail: 'this source has no secret', facts: { source: name } });
    const found = proven(incoming.source, { headers: told.headers, text, body: value, nowMs }, secrets);
    if (found === undefined) throw unproven('its signature does not hold, or is not of now');
    return this.#write(incoming, found, value);
  }

  async #write({ source, job }: Incoming, { key, id, type }: Proven, body: JsonObject): Promise<Answer> {
    const nowMs = this.#context.now();
    const at = new Date(nowMs).toISOString();
    const event = { at, body, ...(id === undefined ? {} : { id }), ...(type === undefined ? {} : { type }) };
    // Numbers may be longer as JSON writes them than as they were sent.
    if (Buffer.byteLength(JSON.stringify(event)) > jobLimits.payloadBytesMax) {
      throw new Fault('body_too_large', { detail: `as JSON, at most ${jobLimits.payloadBytesMax} bytes with the names beside it` });
    }
    const enqueued = enqueuing(job, event, {}, { principal: anonymous, nowMs });
    const mutation: Mutation = {
      resource: received, id: new Bun.CryptoHasher('sha256').update(JSON.stringify([source.name, key])).digest('hex'),
      decide: (before) => (before === undefined
        ? { kind: 'put', document: { source: source.name, at }, also: [enqueued] }
        : { kind: 'keep' }),
    };
    const { answer } = await writeRecorded(this.#context.store, this.#call, {
      mutations: [mutation], atomic: true,
      toAnswer: ([outcome]) => {
        if (outcome?.kind === 'refused') throw outcome.fault;
        const isRepeated = outcome?.kind === 'written' && outcome.before !== undefined;
        return { outcome: 'accepted', mediaType: 'application/json', body: JSON.stringify({ repeated: isRepeated }) };
      },
    });
    return answer;
  }
}

function toTold(input: string | undefined): Told | undefined {
  return input === undefined ? undefined : (JSON.parse(input) as Told);
}

/** Where nobody tells the address, it is none of those. */
function mustComeFrom({ addresses = [] }: Source, { address }: Told): void {
  const given = address === null ? undefined : parseAddress(address);
  const networks = addresses.flatMap((text) => parseNetwork(text) ?? []);
  if (networks.length === 0 || (given !== undefined && networks.some((network) => isInNetwork(given, network)))) return;
  throw unproven('it comes from elsewhere');
}

function unproven(why: string): Fault {
  return new Fault('signature_invalid', {
    detail: 'this is not proven to be of a source that is known here', facts: { why },
    // RFC 9110 §11.6.1: a 401 has a challenge, and one without is of the hop.
    headers: { 'www-authenticate': 'Signature realm="tombolo"' },
  });
}
