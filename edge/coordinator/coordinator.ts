/** The one coordinator that all isolates ask and all origins report to. */
import type { Bindings } from '../context.ts';
import type { Changes, Heard, ReportOutcome, SignedReport } from './changes.ts';

/** A stub belongs to the request that made it, so it is made for each call. */
function stubOf(bindings: Bindings) {
  return bindings.COORDINATOR.getByName('generations');
}

export function sendReport(bindings: Bindings, signed: SignedReport): Promise<ReportOutcome> {
  return stubOf(bindings).report(signed);
}

export function askChanges(bindings: Bindings, resource: string, heard: Heard | undefined): Promise<Changes> {
  return stubOf(bindings).changesSince(resource, heard);
}
