/**
 * Jaeger 2, with its traces in memory, built once by Go into a folder that git ignores: as a tool of an empty module, since
 * `go install` takes no program whose own module replaces another.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';

export const jaegerVersion = '2.13.0';
/** The release of its module with that version. */
const release = 'v1.76.0';
const source = 'github.com/jaegertracing/jaeger/cmd/jaeger';
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
    const [otlp, query, queryGrpc] = Array.from({ length: 3 }, () => `127.0.0.1:${freePort()}`) as [string, string, string];
    this.otlpUrl = `http://${otlp}`;
    this.#queryUrl = `http://${query}`;
    this.#program = new Program([binary, '--config', `yaml:${JSON.stringify(toConfig(otlp, query, queryGrpc))}`], {
      cwd: buildDir, env: process.env,
    });
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

  /** All spans of a trace that have come, with Jaeger's warnings: that a parent has not come yet would stay with them. */
  async trace(id: string): Promise<readonly JaegerSpan[]> {
    return toSpans(await this.#ask<Found>(`traces/${id}`));
  }

  /** The same without a warning, to be asked for until all have come. */
  async rawTrace(id: string): Promise<readonly JaegerSpan[]> {
    return toSpans(await this.#ask<Found>(`traces/${id}?raw_traces=true`));
  }

  /** All spans, without warnings, of traces in which a service has one of a name. */
  async spansWith(service: string, operation: string): Promise<readonly JaegerSpan[]> {
    const day = 86_400_000;
    return toSpans(await this.#ask<Found>(`traces?${new URLSearchParams({
      'query.service_name': service, 'query.operation_name': operation, 'query.num_traces': '100', 'query.raw_traces': 'true',
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

function toConfig(otlp: string, query: string, queryGrpc: string) {
  const extensions = {
    jaeger_storage: { backends: { kept: { memory: { max_traces: 10_000 } } } },
    jaeger_query: { storage: { traces: 'kept' }, http: { endpoint: query }, grpc: { endpoint: queryGrpc } },
  };
  return {
    extensions,
    receivers: { otlp: { protocols: { http: { endpoint: otlp } } } },
    exporters: { jaeger_storage_exporter: { trace_storage: 'kept' } },
    service: {
      extensions: Object.keys(extensions), telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
    },
  };
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
  const binary = join(buildDir, 'jaeger');
  if (existsSync(binary)) return binary;
  const go = Bun.which('go') ?? goPlaces.find(existsSync);
  if (go === undefined) throw new Error('needs Go to build Jaeger');
  await Bun.write(join(buildDir, 'go.mod'), 'module built\n');
  for (const command of [['get', '-tool', `${source}@${release}`], ['build', '-ldflags=-s -w', '-o', binary, source]]) {
    const child = Bun.spawn([go, ...command], { cwd: buildDir, stdout: 'ignore', stderr: 'pipe' });
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) throw new Error(`Jaeger was not built: ${said}`);
  }
  return binary;
}
