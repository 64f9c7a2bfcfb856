/**
 * Jaeger, with its traces in memory, built once by Go into a folder that git ignores: as a tool of an empty module, since
 * `go install` takes no program whose own module replaces another.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';

export const jaegerVersion = 'v1.76.0';
const source = 'github.com/jaegertracing/jaeger/cmd/all-in-one';
const buildDir = join(import.meta.dir, '../../node_modules/.cache/tombolo/jaeger', jaegerVersion);
const goPlaces = ['/usr/local/go/bin/go'];

interface Attributes {
  readonly attributes?: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface Span extends Attributes {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
}

interface OfResource {
  readonly resource: Attributes;
  readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
}

interface Found {
  readonly result?: { readonly resourceSpans: readonly OfResource[] };
}

export interface JaegerSpan extends Span {
  readonly service: unknown;
  /** What Jaeger finds odd about it. */
  readonly warnings: unknown;
}

export class Jaeger implements AsyncDisposable {
  /** Where spans are sent, without `/v1/traces`. */
  readonly otlpUrl: string;
  readonly #queryUrl: string;
  readonly #program: Program;

  private constructor(binary: string) {
    const [otlp, query] = [freePort(), freePort()];
    this.otlpUrl = `http://127.0.0.1:${otlp}`;
    this.#queryUrl = `http://127.0.0.1:${query}`;
    const others = ['admin.http', 'collector.otlp.grpc', 'collector.grpc-server', 'collector.http-server', 'query.grpc-server'];
    const ports = [['collector.otlp.http', otlp], ['query.http-server', query], ...others.map((name) => [name, freePort()])];
    const command = [binary, ...ports.map(([name, port]) => `--${name}.host-port=127.0.0.1:${port}`)];
    // It would send spans of its own to a port that nobody listens at.
    this.#program = new Program(command, { cwd: buildDir, env: { ...process.env, OTEL_TRACES_SAMPLER: 'always_off' } });
  }

  static async start(): Promise<Jaeger> {
    const jaeger = new Jaeger(await build());
    await eventually('Jaeger answers', async () => Array.isArray(await jaeger.services()));
    return jaeger;
  }

  async services(): Promise<readonly string[]> {
    return (await this.#ask<{ readonly services?: readonly string[] }>('services')).services ?? [];
  }

  /** The names that its page of a service offers. */
  async operations(service: string): Promise<readonly string[]> {
    const { operations = [] } = await this.#ask<{ readonly operations?: readonly { readonly name: string }[] }>(
      `operations?service=${service}`);
    return operations.map(({ name }) => name).sort();
  }

  /** All spans of a trace that have come. */
  async trace(id: string): Promise<readonly JaegerSpan[]> {
    return toSpans(await this.#ask<Found>(`traces/${id}`));
  }

  /** All spans of traces in which a service has one of a name. */
  async spansWith(service: string, operation: string): Promise<readonly JaegerSpan[]> {
    const day = 86_400_000;
    return toSpans(await this.#ask<Found>(`traces?${new URLSearchParams({
      'query.service_name': service, 'query.operation_name': operation, 'query.num_traces': '100',
      'query.start_time_min': new Date(Date.now() - day).toISOString(), 'query.start_time_max': new Date(Date.now() + day).toISOString(),
    })}`));
  }

  /** By its API v3, whose traces are OTLP; 404 says that there are none. */
  async #ask<Answer extends object>(path: string): Promise<Answer | Partial<Answer>> {
    const response = await fetch(`${this.#queryUrl}/api/v3/${path}`);
    if (response.ok) return (await response.json()) as Answer;
    if (response.status === 404) return {};
    throw new Error(`Jaeger answers ${response.status} for ${path}: ${await response.text()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.kill();
  }
}

function toSpans({ result }: Found): readonly JaegerSpan[] {
  return (result?.resourceSpans ?? []).flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans).map((span) => ({
      ...span, service: valueOf(resource, 'service.name'), warnings: valueOf(span, '@jaeger@warnings'),
    })));
}

function valueOf({ attributes = [] }: Attributes, key: string): unknown {
  return Object.values(attributes.find((attribute) => attribute.key === key)?.value ?? {})[0];
}

async function build(): Promise<string> {
  const binary = join(buildDir, 'jaeger-all-in-one');
  if (existsSync(binary)) return binary;
  const go = Bun.which('go') ?? goPlaces.find(existsSync);
  if (go === undefined) throw new Error('needs Go to build Jaeger');
  await Bun.write(join(buildDir, 'go.mod'), 'module built\n');
  for (const command of [['get', '-tool', `${source}@${jaegerVersion}`], ['build', '-ldflags=-s -w', '-o', binary, source]]) {
    const child = Bun.spawn([go, ...command], { cwd: buildDir, stdout: 'ignore', stderr: 'pipe' });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`Jaeger was not built: ${said}`);
  }
  return binary;
}
