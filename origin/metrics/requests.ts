/**
 * Requests by operation: how many with which status, and how long until the head of the answer. What is counted with each
 * request is plain numbers; they become metrics when somebody asks.
 */
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** What stands in for the name of an operation where the request was refused before one was found. */
const noOperation = 'none';

/** From a kept answer to the longest wait of a call. */
const secondsOfBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30];

interface OfOperation {
  /** Answers by status. */
  readonly statuses: Map<number, number>;
  /** One for each bucket, and one for what is slower than all. */
  readonly counts: number[];
  seconds: number;
}

/** By names of rows, so there are no more of them than rows. */
type Operations = Map<string, OfOperation>;

/** What requests are counted in is there before the services; `undefined`: nobody asks for metrics. */
export interface Measuring {
  readonly registry: Registry;
  readonly requests: Requests;
}

export class Requests {
  readonly #operations: Operations = new Map();
  #underWay = 0;

  constructor(registry: Registry) {
    const registers = [registry];
    const operations = this.#operations;
    const underWay = () => this.#underWay;
    new Seconds(operations, registry);
    new Counter({
      name: 'tombolo_requests', help: 'Requests answered, by operation and status of HTTP', labelNames: ['operation', 'status'], registers,
      collect() {
        this.reset();
        for (const [operation, { statuses }] of operations) {
          for (const [status, count] of statuses) this.inc({ operation, status }, count);
        }
      },
    });
    new Gauge({
      name: 'tombolo_requests_under_way', help: 'Requests whose answer has no head yet', registers,
      collect() {
        this.set(underWay());
      },
    });
  }

  /** A request is here; `end` is told of its answer. */
  begin(): Seen {
    this.#underWay++;
    return new Seen(this);
  }

  end({ operation, beganAtMs }: Seen, status: number): void {
    this.#underWay--;
    const seconds = (performance.now() - beganAtMs) / 1_000;
    const of = this.#operations.get(operation) ?? this.#first(operation);
    of.statuses.set(status, (of.statuses.get(status) ?? 0) + 1);
    of.seconds += seconds;
    let bucket = 0;
    while (seconds > (secondsOfBuckets[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
    of.counts[bucket] = (of.counts[bucket] ?? 0) + 1;
  }

  #first(operation: string): OfOperation {
    const of = { statuses: new Map<number, number>(), counts: new Array<number>(secondsOfBuckets.length + 1).fill(0), seconds: 0 };
    this.#operations.set(operation, of);
    return of;
  }
}

/** A request under way: the pipeline says of which operation it is as soon as it knows. */
export class Seen {
  operation = noOperation;
  readonly beganAtMs = performance.now();
  readonly #requests: Requests;

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  end(status: number): void {
    this.#requests.end(this, status);
  }
}

const described = {
  name: 'tombolo_request_seconds', help: 'From the arrival of a request to the head of its answer', type: 'histogram',
} as const;

/** The library's histogram takes one value at a time, at five times the price. */
class Seconds extends Histogram<'operation'> {
  readonly #operations: Operations;

  constructor(operations: Operations, registry: Registry) {
    super({ ...described, labelNames: ['operation'], buckets: secondsOfBuckets, registers: [registry] });
    this.#operations = operations;
  }

  /** The registry asks this before `get`. */
  async getForPromString() {
    return { ...described, values: [...this.#operations].flatMap(([operation, of]) => toValues(operation, of)) };
  }
}

function toValues(operation: string, { counts, seconds }: OfOperation) {
  const { name } = described;
  let count = 0;
  const buckets = counts.map((here, index) => ({
    metricName: `${name}_bucket`, value: (count += here), labels: { operation, le: String(secondsOfBuckets[index] ?? '+Inf') },
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, value: seconds, labels: { operation } },
    { metricName: `${name}_count`, value: count, labels: { operation } },
  ];
}
