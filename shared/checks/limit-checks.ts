/** What is wrong with what requests of a resource cost. */
import type { LimitsDeclaration } from '../limits/cost.ts';
import { type Refuse, refuseUnknown } from './mistakes.ts';

const costMax = 1_000;

/** `refuse` notes the key below `limits` that is wrong; whether operations have the names of costs, the contract knows. */
export function checkLimits(declared: LimitsDeclaration, refuse: Refuse): void {
  const { cost = {}, unavailable = {} } = declared;
  refuseUnknown(declared, ['cost', 'unavailable'], refuse);
  refuseUnknown(unavailable, ['read', 'write'], (key, detail) => refuse(`unavailable.${key}`, detail));
  for (const [name, units] of Object.entries(cost)) {
    if (!Number.isInteger(units) || units < 1 || units > costMax) {
      refuse(`cost.${name}`, `must be a whole number from 1 to ${costMax}`);
    }
  }
  for (const [kind, policy] of Object.entries(unavailable)) {
    if (policy !== 'allow' && policy !== 'refuse') {
      refuse(`unavailable.${kind}`, 'must be "allow" or "refuse"');
    }
  }
}
