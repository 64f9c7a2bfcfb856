/** Where anybody looks: each answer is counted as it leaves. */
import type { Arrival } from '../request/arrival.ts';

/** Hands on the answer. */
export function counted({ seen }: Arrival, answer: Response): Response {
  const { counts, dataPoints } = seen.context ?? {};
  counts?.answered(seen, answer);
  dataPoints?.tell(Date.now());
  return answer;
}
