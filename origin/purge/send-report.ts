/** One signed report to one Worker. */
import * as z from 'zod';
import { type Report, type ReportAnswer, reportPath } from '../../shared/hop/purge-report.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import { toSignedReport } from '../hop/sign.ts';

const answerSchema = z.object({
  accepted: z.boolean(), epoch: z.string().nullable(), through: z.string().nullable(), now: z.number(),
  knowsContract: z.boolean().optional(),
});

/** The wait after which the edge counts as unreachable: well under the age at which its answers stop being fresh. */
const answerMsMax = 2_000;

/** Signs with the first key that the edge knows: a rotation may have reached it before us, or not yet. */
export async function sendReport(edgeUrl: string, report: Report, keys: readonly HopKey[], signal: AbortSignal): Promise<ReportAnswer> {
  const body = JSON.stringify(report);
  let refusal = '';
  for (const key of keys) {
    const request = toSignedReport(`${edgeUrl}${reportPath}`, body, key, Date.now());
    const response = await fetch(request, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]) });
    if (response.status === 200) return answerSchema.parse(await response.json());
    refusal = `${edgeUrl}${reportPath} answered ${response.status}: ${(await response.text()).slice(0, 300)}`;
    if (response.status !== 401) break;
  }
  throw new Error(refusal);
}
