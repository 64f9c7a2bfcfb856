/** What a workflow is after any history of outcomes, beside a naive model that replays all of it. */
import { expect, test } from 'bun:test';
import { advance, begin, type Course, inHand, isOpen, type Outcome, type PlannedStep } from '../../../origin/workflow-engine/advance.ts';
import { type WorkflowState, workflowStates } from '../../../shared/workflows/resource.ts';
import { Random } from '../../support/random.ts';

const outcomes: readonly Outcome[] = [
  { kind: 'done', result: '1' }, { kind: 'done' }, { kind: 'failed' }, { kind: 'cancelled' }, { kind: 'late' }, { kind: 'retried' },
];

/** What workflows mean: how many steps are done, what is left to be undone, and what happens to the one in hand. */
class Model {
  readonly #plan: readonly PlannedStep[];
  done = 0;
  /** Indexes, the next to be undone last; `undefined`: it goes on. */
  undoing: number[] | undefined;
  isStuck = false;
  round = 1;

  constructor(plan: readonly PlannedStep[]) {
    this.#plan = plan;
  }

  get state(): WorkflowState {
    if (this.isStuck) return 'stuck';
    if (this.undoing !== undefined) return this.undoing.length > 0 ? 'undoing' : 'undone';
    const step = this.#plan[this.done];
    return step === undefined ? 'done' : step.kind === 'run' ? 'running' : 'waiting';
  }

  /** Whether that can happen. */
  hear({ kind }: Outcome): boolean {
    const { state } = this;
    if (state === 'done') return false;
    if (state === 'undone') {
      if (kind === 'retried') Object.assign(this, { done: 0, undoing: undefined, round: this.round + 1 });
      return kind === 'retried';
    }
    if (state === 'stuck') {
      if (kind === 'cancelled' && this.undoing === undefined) return this.#giveUp();
      this.isStuck = kind !== 'retried';
      return kind === 'retried';
    }
    if (state === 'undoing') {
      if (kind === 'done') this.undoing?.pop();
      this.isStuck = kind === 'failed';
      return kind === 'done' || kind === 'failed';
    }
    if (kind === 'retried') return false;
    if (kind === 'done') return this.done++, true;
    if (kind === 'failed' && this.#plan[this.done]?.holds === true) return this.isStuck = true;
    return this.#giveUp();
  }

  /** All that began, the one in hand too. */
  #giveUp(): boolean {
    this.isStuck = false;
    this.undoing = this.#plan.flatMap(({ isUndoable }, index) => (index <= this.done && isUndoable ? [index] : []));
    return true;
  }
}

function randomPlan(random: Random): readonly PlannedStep[] {
  return Array.from({ length: 1 + random.below(5) }, (_, index) => ({
    name: `s${index}`, kind: random.pick(['run', 'wait'] as const), isUndoable: random.chance(0.6), holds: random.chance(0.2),
  }));
}

function mustAgree(course: Course, model: Model, plan: readonly PlannedStep[]): void {
  const hand = model.undoing === undefined ? model.done : model.undoing.at(-1);
  expect([course.state, course.round]).toEqual([model.state, model.round]);
  expect(inHand(course)?.name).toBe(isOpen(course) ? plan[hand ?? -1]?.name : undefined);
  expect(course.steps.filter(({ isDone }) => isDone).length).toBe(model.done);
  // Nothing that is to be undone is passed over, and nothing is undone that has nothing to undo.
  const undone = course.steps.flatMap(({ name, state }) => (state === 'undone' ? [name] : []));
  const left = new Set(model.undoing);
  expect(undone).toEqual(model.undoing === undefined
    ? []
    : plan.flatMap(({ name, isUndoable }, index) => (isUndoable && index <= model.done && !left.has(index) ? [name] : [])));
}

test('is what a naive model says after each of many random outcomes, and refuses the same', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  const seen = new Set<WorkflowState>();
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
    }
  }
  expect([...seen].toSorted()).toEqual([...workflowStates].toSorted());
});
