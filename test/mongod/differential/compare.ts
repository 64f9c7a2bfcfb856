import { MongoClient } from 'mongodb';
import { type Answer, buildWitness, type Witness } from './answers.ts';
import { type Difference, knownErrorOf } from './known-errors.ts';
import { makeQuestion, type Question, questionsPerWorld } from './questions.ts';

export type Comparison = {
  readonly asked: number;
  /** Questions that both servers refused: they say little. */
  readonly refused: number;
  readonly known: ReadonlyMap<string, number>;
  readonly unknown: readonly Difference[];
};

export type CompareOptions = { readonly ours: string; readonly theirs: string; readonly seed: number; readonly count: number };

/** Questions under way at once, each lane in a database of its own on either server. */
const lanes = 6;

/** A client to each lane: a lost connection clears a whole pool. */
const clientOptions = { serverSelectionTimeoutMS: 5_000, minHeartbeatFrequencyMS: 20, maxPoolSize: 1 };

/** Both servers get each question at the same time; a lane's next one waits for both. */
export async function compare({ ours, theirs, seed, count }: CompareOptions): Promise<Comparison> {
  const known = new Map<string, number>();
  const unknown: Difference[] = [];
  let [next, refused] = [0, 0];
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(`differential_${lane}`)));
  return { asked: count, refused, known, unknown: unknown.sort((left, right) => left.question.seed - right.question.seed) };

  async function runLane(database: string): Promise<void> {
    const clients = [ours, theirs].map(uri => new MongoClient(uri, clientOptions)) as [MongoClient, MongoClient];
    const [mine, other] = [buildWitness(clients[0].db(database)), buildWitness(clients[1].db(database))];
    try {
      for (let index = takeWorld(); index < count; index = takeWorld()) {
        for (let asked = 0; asked < questionsPerWorld; asked++) await askBoth(makeQuestion(seed + index + asked), mine, other);
      }
    } finally {
      await Promise.all(clients.map(client => client.close()));
    }
  }

  function takeWorld(): number {
    next += questionsPerWorld;
    return next - questionsPerWorld;
  }

  async function askBoth(question: Question, mine: Witness, other: Witness): Promise<void> {
    const [left, right] = await Promise.all([mine.ask(question), other.ask(question)]);
    if (left.error !== undefined && right.error !== undefined) refused++;
    if (!isSame(left, right)) sort({ question, ours: left, theirs: right });
  }

  function sort(difference: Difference): void {
    const name = knownErrorOf(difference);
    if (name === undefined) unknown.push(difference);
    else known.set(name, (known.get(name) ?? 0) + 1);
  }
}

/** A refusal equals a refusal: the words differ, and the other server gives most of its errors no code. */
const isSame = (left: Answer, right: Answer) => left.text === right.text;
