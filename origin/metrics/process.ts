/** What this process takes of its machine, and how late its event loop is. */
import { Counter, Gauge, Histogram, type Registry } from '@prometheus-io/client';

/** The time between two looks at how late a timer comes. */
const lookMs = 100;

/** Returns what ends the looks. */
export function watchProcess(registry: Registry): () => void {
  const registers = [registry];
  new Gauge({
    name: 'process_resident_memory_bytes', help: 'Memory that the process holds', registers,
    collect() {
      this.set(process.memoryUsage.rss());
    },
  });
  new Counter({
    name: 'process_cpu_seconds', help: 'Time of the processor that the process took, user and system', registers,
    collect() {
      const { user, system } = process.cpuUsage();
      this.reset();
      this.inc((user + system) / 1_000_000);
    },
  });
  new Gauge({ name: 'process_start_time_seconds', help: 'Start of the process, since the epoch', registers })
    .set(performance.timeOrigin / 1_000);
  const late = new Histogram({
    name: 'tombolo_event_loop_lag_seconds', help: `How late a timer came, of one every ${lookMs} ms`,
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5], registers,
  });
  let dueAtMs = performance.now() + lookMs;
  const timer = setInterval(() => {
    const now = performance.now();
    late.observe(Math.max(0, now - dueAtMs) / 1_000);
    dueAtMs = now + lookMs;
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
