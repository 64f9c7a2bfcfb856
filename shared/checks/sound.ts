/**
 * The door that every start, every deploy and every bundle of the edge passes: with one mistake in what is declared nothing is
 * served. A bundle of the edge does not hold these checks.
 */
import type { Contract } from '../contract/contract.ts';
import type { Plans } from '../limits/plans.ts';
import { contractMistakes } from './contract-mistakes.ts';
import { DeclarationError } from './mistakes.ts';
import { planMistakes, unaffordable } from './plan-mistakes.ts';

/** Throws a `DeclarationError` that names every mistake. Plans are the edge's alone. */
export function mustBeSound(contract: Contract, plans?: Plans): void {
  const ofPlans = plans === undefined ? [] : [...planMistakes(plans), ...unaffordable(plans, contract)];
  const mistakes = [...contractMistakes(contract), ...ofPlans];
  if (mistakes.length > 0) throw new DeclarationError(mistakes);
}
