import type { Requirement } from './schema.ts';
import type { ServerFacts } from './target.ts';

/** Why none of the requirements holds, or undefined when one does (or none is asked for). */
export function unmetReason(requirements: readonly Requirement[] | undefined, facts: ServerFacts): string | undefined {
  if (requirements === undefined || requirements.length === 0) return undefined;
  const reasons = requirements.map(requirement => unmetPart(requirement, facts));
  return reasons.includes(undefined) ? undefined : `requires ${[...new Set(reasons)].join(', or ')}`;
}

function unmetPart(requirement: Requirement, facts: ServerFacts): string | undefined {
  const { minServerVersion, maxServerVersion, topologies, serverless, auth, authMechanism, csfle, serverParameters = {} } = requirement;
  if (topologies !== undefined && !topologies.includes(facts.topology)) return `topology ${topologies.join(' or ')}`;
  if (minServerVersion !== undefined && compareVersions(facts.version, minServerVersion) < 0) return `server ${minServerVersion} or newer`;
  if (maxServerVersion !== undefined && compareVersions(facts.version, maxServerVersion) > 0) return `server ${maxServerVersion} or older`;
  if (serverless === 'require') return 'a serverless deployment';
  if (auth !== undefined && auth !== facts.auth) return auth ? 'authentication' : 'no authentication';
  if (authMechanism !== undefined) return `authentication mechanism ${authMechanism}`;
  if (csfle !== undefined && csfle !== false) return 'client-side encryption';
  const wrong = Object.entries(serverParameters).find(([name, value]) => facts.parameters[name] !== value);
  return wrong && `server parameter ${wrong[0]} = ${wrong[1]}`;
}

/** A part that the requirement leaves out is zero: 4.9 lies before 4.9.1. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map(version => version.split(/[.-]/).map(part => Number.parseInt(part, 10) || 0)) as [number[], number[]];
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
