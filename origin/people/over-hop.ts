/** People asked over the hop: what the edge signed, with a body that is believed by its digest. */
import { hopDemands } from '../../shared/hop/profile.ts';
import { peopleLimits } from '../../shared/people/limits.ts';
import { mustBody } from '../hop/to-call.ts';
import { traceOf } from '../hop/trace.ts';
import { mustCover, type VerifiedHop } from '../hop/verify.ts';
import type { People, PeopleReply } from './people.ts';

export async function answerPeople(people: People, hop: VerifiedHop, request: Request): Promise<PeopleReply> {
  const { method, path, query, header } = hop;
  const hasBody = method === 'POST';
  if (hasBody) mustCover(hop, hopDemands.buffered);
  const body = hasBody ? await mustBody(hop, request, peopleLimits.bodyBytesMax) : undefined;
  return people.answer({ method, path, query, body, header, ...traceOf(hop), nonce: hop.parameters.nonce });
}
