/** `POST /.tombolo/changes`: a report of the origin, believed by its signature alone, handed to the coordinator. */
import type { Context } from 'hono';
import { documentInvalid, toFieldErrors } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/contract/fault.ts';
import { type Report, reportPath, reportSchema } from '../../shared/contract/report.ts';
import { hopLimits } from '../../shared/hop/profile.ts';
import type { EdgeEnv } from '../context.ts';
import { contentDigest } from '../origin-client/content-digest.ts';
import { mustSignedReport } from '../origin-client/verify.ts';
import { edgeLimits } from '../limits.ts';
import type { Stage } from '../path.ts';
import { mustRead, mustText } from '../read-body.ts';
import { sendReport } from './coordinator.ts';

export function report(): Stage {
  return function report(c) {
    return c.get('target').path === reportPath ? take(c) : undefined;
  };
}

async function take(c: Context<EdgeEnv>): Promise<Response> {
  const { created, nonce } = await mustSignedReport(c.get('sent'), c.get('target'), c.get('context').macs, Date.now());
  const signed = { report: mustReport(await mustSignedBody(c)), nonce, expiresAt: (created + hopLimits.nonceKeptSeconds) * 1_000 };
  const outcome = await sendReport(c.env, signed);
  if (outcome === 'replayed') throw new Fault('hop_replayed');
  return c.json(outcome, 200, { 'cache-control': 'no-store' });
}

async function mustSignedBody(c: Context<EdgeEnv>): Promise<string> {
  const sent = c.get('sent');
  const bytes = await mustRead(c.req.raw.body, { bytesMax: edgeLimits.reportBytesMax, declared: sent.get('content-length'), deadlineAt: c.get('deadlineAt') });
  const signed = sent.get('content-digest');
  if (signed === null || signed !== (await contentDigest(bytes))) throw new Fault('hop_invalid', { detail: 'the body is not the one that was signed' });
  return mustText(bytes);
}

function mustReport(text: string): Report {
  const parsed = reportSchema.safeParse(parseJson(text));
  if (!parsed.success) throw documentInvalid(toFieldErrors(parsed.error));
  const { through, from, whole, raised } = parsed.data;
  const orders = [...Object.values(whole), ...Object.values(raised).flatMap((buckets) => Object.values(buckets)), ...(from === null ? [] : [from])];
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
