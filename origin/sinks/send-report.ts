/** One signed report to one Worker. */
import * as z from 'zod';
import { type Report, type ReportAnswer, reportPath } from '../../shared/contract/report.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import { toSignedReport } from '../hop/sign.ts';

const answerSchema = z.object({ accepted: z.boolean(), epoch: z.string().nullable(), through: z.string().nullable(), now: z.number() });

/** Past this the edge counts as unreachable: well under the age at which its answers stop being fresh. */
const answerMsMax = 2_000;

export async function sendReport(edgeUrl: string, report: Report, key: HopKey, signal: AbortSignal): Promise<ReportAnswer> {
  const request = toSignedReport(`${edgeUrl}${reportPath}`, JSON.stringify(report), key, Date.now());
  const response = await fetch(request, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]) });
  if (response.status !== 200) throw new Error(`${edgeUrl}${reportPath} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  return answerSchema.parse(await response.json());
}
