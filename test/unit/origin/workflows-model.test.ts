/** What a workflow is after any history of outcomes, beside a naive model of what is done and what is undone. */
import { expect, test } from 'bun:test';
import { advance, begin, type Course, inHand, isOpen, type Outcome, type PlannedStep } from '../../../origin/workflow-engine/advance.ts';
import { type WorkflowState, workflowStates } from '../../../shared/workflows/resource.ts';
import { Random } from '../../support/random.ts';

const outcomes: readonly Outcome[] = [
  { kind: 'done', result: '1' }, { kind: 'done' }, { kind: 'failed' }, { kind: 'cancelled' }, { kind: 'late' }, { kind: 'retried' },
  ...Array.from({ length: 6 }, (_, index) => ({ kind: 'retried', from: `s${index}` }) as const),
];

/** What workflows mean: which steps began, whether each is done and whether it is undone, and which way it goes. */
class Model {
  readonly #plan: readonly PlannedStep[];
  began: { round: number; isDone: boolean; isUndone: boolean }[] = [];
  isForward = true;
  /** Of whoever goes back: where that ends; all of it is given up unless said. */
  from: number | undefined;
  isStuck = false;
  round = 0;

  constructor(plan: readonly PlannedStep[]) {
    this.#plan = plan;
    this.#goOnAt(0);
  }

  /** The step in hand. */
  get hand(): number | undefined {
    const last = this.began.length - 1;
    if (this.isForward) return this.began[last]?.isDone === true ? undefined : last;
    const at = this.began.findLastIndex(({ isUndone }, index) => !isUndone && this.#plan[index]?.isUndoable && index >= (this.from ?? 0));
    return at < 0 ? undefined : at;
  }

  get state(): WorkflowState {
    if (this.isStuck) return 'stuck';
    if (!this.isForward) return this.hand === undefined ? 'undone' : 'undoing';
    return this.hand === undefined ? 'done' : this.#plan[this.hand]?.kind === 'run' ? 'running' : 'waiting';
  }

  /** Whether that can happen. */
  hear(outcome: Outcome): boolean {
    const { state } = this;
    const goesOn = state === 'running' || state === 'waiting';
    switch (outcome.kind) {
      case 'done':
        return (goesOn || state === 'undoing') && this.#end();
      case 'failed':
        if (state === 'undoing' || (goesOn && this.#plan[this.hand ?? -1]?.holds === true)) return this.isStuck = true;
        return goesOn && this.#goBack(undefined);
      case 'late':
        return goesOn && this.#goBack(undefined);
      case 'cancelled':
        return (goesOn || (this.isStuck && this.isForward) || (state === 'undoing' && this.from !== undefined)) && this.#goBack(undefined);
      case 'retried':
        if (outcome.from !== undefined) return this.#retryFrom(this.#plan.findIndex(({ name }) => name === outcome.from));
        if (state === 'undone') return this.#goOnAt(0);
        return this.isStuck && !(this.isStuck = false);
    }
  }

  #end(): true {
    const step = this.began[this.hand ?? -1];
    if (step === undefined) throw new Error('nothing is in hand');
    Object.assign(step, this.isForward ? { isDone: true } : { isUndone: true });
    return this.isForward ? this.#begin() : this.#mayGoOn();
  }

  #retryFrom(from: number): boolean {
    // Of an undoing that is stuck, nobody knows what it took back.
    const given = this.isForward ? undefined : this.hand;
    const isThere = this.began.slice(0, from).every(({ isDone, isUndone }, index) => isDone && !isUndone && index !== given);
    return from >= 0 && from < this.began.length && isThere && this.state !== 'undoing' && this.#goBack(from);
  }

  #goBack(from: number | undefined): true {
    Object.assign(this, { isForward: false, isStuck: false, from });
    return this.#mayGoOn();
  }

  #mayGoOn(): true {
    return this.from !== undefined && this.hand === undefined ? this.#goOnAt(this.from) : true;
  }

  #goOnAt(step: number): true {
    Object.assign(this, { began: this.began.slice(0, step), isForward: true, from: undefined, round: this.round + 1 });
    return this.#begin();
  }

  #begin(): true {
    if (this.began.length < this.#plan.length) this.began.push({ round: this.round, isDone: false, isUndone: false });
    return true;
  }
}

function randomPlan(random: Random): readonly PlannedStep[] {
  return Array.from({ length: 1 + random.below(5) }, (_, index) => ({
    name: `s${index}`, kind: random.pick(['run', 'wait'] as const), isUndoable: random.chance(0.6), holds: random.chance(0.2),
  }));
}

function mustAgree(course: Course, model: Model, plan: readonly PlannedStep[]): void {
  expect([course.state, course.round]).toEqual([model.state, model.round]);
  expect(inHand(course)?.name).toBe(isOpen(course) ? plan[model.hand ?? -1]?.name : undefined);
  expect(course.from).toBe(model.isForward ? undefined : plan[model.from ?? -1]?.name);
  expect(course.why === undefined).toBe(model.isForward);
  // Nothing that is to be undone is passed over, and nothing is undone that has nothing to undo, each of the round that it was done in.
  expect(course.steps.map(({ isDone = false, state, round = course.round }) => ({ round, isDone, isUndone: state === 'undone' })))
    .toEqual(model.began);
}

test('is what a naive model says after each of many random outcomes, and refuses the same', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  const seen = new Set<WorkflowState>();
  const keptRounds = new Set<number>();
  for (let history = 0; history < 3_000; history++) {
    const plan = randomPlan(random);
    const model = new Model(plan);
    let course = begin(plan);
    for (let step = 0; step < 14; step++) {
      const outcome = random.chance(0.6) ? { kind: 'done' } as const : random.pick(outcomes) ?? { kind: 'done' };
      const next = advance(plan, course, outcome);
      expect([seed, history, step, next !== undefined]).toEqual([seed, history, step, model.hear(outcome)]);
      course = next ?? course;
      mustAgree(course, model, plan);
      seen.add(course.state);
      for (const { round } of course.steps) if (round !== undefined) keptRounds.add(course.round - round);
    }
  }
  expect([...seen].toSorted()).toEqual([...workflowStates].toSorted());
  expect(keptRounds.size).toBeGreaterThan(1);
});
