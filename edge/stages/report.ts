/** `POST /.tombolo/changes`: a report of the origin, believed by its signature alone, handed to the coordinator. */
import { documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { type Report, reportSchema } from '../../shared/hop/purge-report.ts';
import { hopLimits } from '../../shared/hop/profile.ts';
import { contentDigest } from '../origin-client/content-digest.ts';
import { mustSignedReport } from '../origin-client/verify.ts';
import { edgeLimits } from '../limits.ts';
import type { Routed } from '../request/request.ts';
import type { Stage } from '../runner.ts';
import { mustRead, mustText } from '../request/read-body.ts';

export function report(): Stage<Routed, Routed> {
  return function report(request, next) {
    return request.own?.name === 'report' ? take(request) : next(request);
  };
}

async function take(request: Routed): Promise<Response> {
  const { context: { macs, host }, sent, target } = request;
  const { created, nonce } = mustSignedReport(sent, target, macs, Date.now());
  const signed = { report: mustReport(await mustSignedBody(request)), nonce, expiresAt: (created + hopLimits.nonceKeptSeconds) * 1_000 };
  const outcome = await host.coordinator.report(signed);
  if (outcome === 'replayed') throw new Fault('hop_replayed');
  return Response.json(outcome, { headers: { 'cache-control': 'no-store' } });
}

async function mustSignedBody({ raw, sent, deadlineAt, context }: Routed): Promise<string> {
  const bytes = await mustRead(raw, { bytesMax: edgeLimits.reportBytesMax, declared: sent.get('content-length'), deadlineAt });
  const signed = sent.get('content-digest');
  if (signed === null || signed !== (await contentDigest(bytes, context.hasher))) {
    throw new Fault('hop_invalid', { detail: 'the body is not the one that was signed' });
  }
  return mustText(bytes);
}

function mustReport(text: string): Report {
  const parsed = reportSchema.safeParse(parseJson(text));
  if (!parsed.success) throw documentInvalid(toFieldErrors(parsed.error));
  const { through, from, whole, raised } = parsed.data;
  const orders = [
    ...Object.values(whole),
    ...Object.values(raised).flatMap((buckets) => Object.values(buckets)),
    ...(from === null ? [] : [from]),
  ];
  // Positions are compared as text, which is their order at one width alone.
  if (orders.every((order) => order.length === through.length && order <= through)) return parsed.data;
  throw documentInvalid([{ at: '/through', in: 'body', detail: 'is before what the report raises, or of another width' }]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('body_malformed', { detail: 'the report is not JSON' });
  }
}
