/** The sources that are served, and what is wrong with them: with anything, nothing starts. */
import { DeclarationError, Mistakes, type Refuse } from '../../shared/checks/mistakes.ts';
import { parseNetwork } from '../../shared/api-keys/networks.ts';
import { isActionName } from '../../shared/contract/reserved-names.ts';
import { headersOf, type Source } from '../../shared/incoming/source.ts';
import type { Job } from '../job-queue/job.ts';
import type { Incoming } from './event.ts';

/** By the name of the source. */
export type Incomings = ReadonlyMap<string, Incoming>;

export function mustIncoming(declared: readonly Incoming[], jobs: readonly Job[]): Incomings {
  const mistakes = new Mistakes('shared/endpoints/sources.ts');
  for (const each of declared) {
    const refuse: Refuse = (key, detail) => mistakes.add(`source "${each.source.name}": ${key}`, detail);
    checkSource(each.source, refuse);
    if (!jobs.includes(each.job)) refuse('job', `"${each.job.name}" is not among the jobs`);
    if (declared.some((other) => other !== each && other.source.name === each.source.name)) refuse('name', 'more than one has this name');
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
  return new Map(declared.map((each) => [each.source.name, each]));
}

/** The types of a declaration are not checked when it runs. */
function checkSource({ name, form, addresses = [], toleranceSeconds = 1, keptDays = 1 }: Source, refuse: Refuse): void {
  if (!isActionName(name)) refuse('name', 'must be lower-case letters, digits and hyphens');
  const isUnknown = typeof form === 'string' && !['standard', 'stripe', 'github'].includes(form);
  if (isUnknown) refuse('form', 'must be standard, stripe, github or an own');
  else if (!headersOf(form).every((header) => /^[a-z0-9-]{1,64}$/.test(header))) refuse('form.header', 'must be a name in lower case');
  if (typeof form !== 'string' && !['sha256', 'sha512'].includes(form.hash)) refuse('form.hash', 'must be sha256 or sha512');
  if (typeof form !== 'string' && !['hex', 'base64'].includes(form.encoding)) refuse('form.encoding', 'must be hex or base64');
  for (const address of addresses) if (parseNetwork(address) === undefined) refuse('addresses', `"${address}" is no address or network`);
  if (!Number.isInteger(toleranceSeconds) || toleranceSeconds < 1 || toleranceSeconds > 3_600) {
    refuse('toleranceSeconds', 'must be a whole number from 1 to 3600');
  }
  if (!Number.isInteger(keptDays) || keptDays < 1 || keptDays > 365) refuse('keptDays', 'must be a whole number from 1 to 365');
}
