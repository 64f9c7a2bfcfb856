/** The description of the served contract, as the edge of the tests answers it. */
import { ownPathsOf } from '../../edge/description/own-paths.ts';
import { toDescription } from '../../shared/openapi/document.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';

export function toOpenapiText(): string {
  // Tests ask by a plan of their own (`edge.ts`).
  const anonymous = offered.byName.get('bench') ?? offered.anonymous;
  const { current } = served.versions;
  return JSON.stringify(toDescription({ contract: served, plans: { ...offered, anonymous }, paths: ownPathsOf(current) }, current));
}
