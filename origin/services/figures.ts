/**
 * Numbers that services tell of themselves, each a metric with the service's name as its label. What a service tells is
 * seen at `/metrics` without another line (SEMANTICS §22).
 */
export interface FigureKind {
  readonly metric: string;
  /** A counter goes up alone, from the start of this process; its metric is told with `_total` behind its name. */
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
}

export const figureKinds = {
  lagSeconds: {
    metric: 'tombolo_service_lag_seconds', kind: 'gauge',
    help: 'Age of the last moment at which nothing committed was left for it to hear of or to do',
  },
  failures: { metric: 'tombolo_service_failures', kind: 'counter', help: 'Tries that failed and are made again' },
  followers: { metric: 'tombolo_feed_followers', kind: 'gauge', help: 'Live streams, consumers and reports that follow the feed' },
  writesWaiting: { metric: 'tombolo_store_writes_waiting', kind: 'gauge', help: 'Writes that wait for a transaction' },
  writesWaitingMax: {
    metric: 'tombolo_store_writes_waiting_max', kind: 'gauge', help: 'Writes that may wait; one more is refused as overloaded',
  },
  transactions: {
    metric: 'tombolo_store_transactions', kind: 'counter', help: 'Transactions committed; each is of one write or of several',
  },
  transactionRetries: {
    metric: 'tombolo_store_transaction_retries', kind: 'counter', help: 'Transactions begun again: a lock, a conflict, a lost connection',
  },
  walBytes: { metric: 'tombolo_store_wal_bytes', kind: 'gauge', help: 'Size of the write-ahead log of SQLite' },
  stepsPending: { metric: 'tombolo_store_steps_pending', kind: 'gauge', help: 'Steps that the database lacks: npm run plan names them' },
  threads: { metric: 'tombolo_compute_threads', kind: 'gauge', help: 'Threads for work of the processor; they start when they are needed' },
  threadsBusy: { metric: 'tombolo_compute_threads_busy', kind: 'gauge', help: 'Threads at work' },
  threadsLost: { metric: 'tombolo_compute_threads_lost', kind: 'counter', help: 'Threads replaced: past a deadline, trapped, or ended' },
  callsWaiting: { metric: 'tombolo_compute_calls_waiting', kind: 'gauge', help: 'Calls that wait for a thread' },
  callsRefused: { metric: 'tombolo_compute_calls_refused', kind: 'counter', help: 'Calls refused since too many wait' },
  jobsRunning: { metric: 'tombolo_jobs_running', kind: 'gauge', help: 'Attempts at jobs that run in this process' },
  jobsDone: { metric: 'tombolo_jobs_done', kind: 'counter', help: 'Jobs that were done' },
  jobsDead: { metric: 'tombolo_jobs_dead', kind: 'counter', help: 'Jobs whose last attempt failed; an admin may retry them' },
  deliveriesTaken: { metric: 'tombolo_webhook_deliveries_taken', kind: 'counter', help: 'Deliveries of webhooks that a receiver took' },
  deliveriesFailed: {
    metric: 'tombolo_webhook_deliveries_failed', kind: 'counter', help: 'Tries at deliveries that failed, the last ones among them',
  },
  deliveriesDead: { metric: 'tombolo_webhook_deliveries_dead', kind: 'counter', help: 'Deliveries that are not tried again' },
  connectionsBusy: { metric: 'tombolo_store_connections_busy', kind: 'gauge', help: 'Connections to MongoDB that are in use' },
  connectionsWaiting: {
    metric: 'tombolo_store_connections_waiting', kind: 'gauge', help: 'Calls that wait for a connection to MongoDB',
  },
  diskBytesLeft: { metric: 'tombolo_disk_bytes_left', kind: 'gauge', help: 'What is left on the disk of SQLite' },
  quotasUsed: { metric: 'tombolo_quotas_used', kind: 'counter', help: 'Times that a caller had used 80 or 100 % of a month’s quota' },
  eventsWaiting: { metric: 'tombolo_hook_events_waiting', kind: 'gauge', help: 'Events at which a hook failed, and those behind them' },
  eventsDead: {
    metric: 'tombolo_hook_events_dead', kind: 'gauge', help: 'Events that a hook was told as often as it is, and that are given up',
  },
} as const satisfies Readonly<Record<string, FigureKind>>;

export type Figures = { readonly [Name in keyof typeof figureKinds]?: number };
