/**
 * A trace per round. Its id is also the version of the configuration that the proxies get (`system_version_info`), and stands in the log
 * lines of the round: from what a proxy holds one finds why. Spans are sent only where an endpoint is named (OpenTelemetry, OTLP over
 * HTTP); the libraries are not even loaded without.
 */
import { randomBytes } from 'node:crypto';

export interface RoundTrace {
  /** 32 hexadecimal digits (W3C trace-id). */
  readonly id: string;
  /** One part of the round, timed. */
  step<T>(name: string, work: () => Promise<T> | T): Promise<T>;
  /** @param error why the round failed */
  end(result: string, error?: string): void;
}

export interface Tracing {
  round(): RoundTrace;
  /** Sends what is left. */
  stop(): Promise<void>;
}

function newId(): string {
  return randomBytes(16).toString('hex');
}

/** Ids alone. */
export function withoutSpans(): Tracing {
  return {
    round: () => ({ id: newId(), step: async (_name, work) => await work(), end: () => undefined }),
    stop: async () => await Promise.resolve(),
  };
}

export interface TracingOptions {
  /** As in OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector:4318`, to which `/v1/traces` is added. */
  readonly endpoint: string;
  readonly instance: string;
  readonly version: string;
}

export async function openTracing({ endpoint, instance, version }: TracingOptions): Promise<Tracing> {
  const { ROOT_CONTEXT, SpanStatusCode, trace } = await import('@opentelemetry/api');
  const { BatchSpanProcessor, TracerProvider } = await import('@opentelemetry/sdk-trace');
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  let next = newId();
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces` });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'drimbox-operator',
      'service.version': version,
      'service.instance.id': instance,
    }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
    // The id is known before the span: it goes to the proxies.
    idGenerator: { generateTraceId: () => next, generateSpanId: () => randomBytes(8).toString('hex') },
  });
  const tracer = provider.getTracer('drimbox-operator', version);
  return {
    round() {
      next = newId();
      const id = next;
      const root = tracer.startSpan('reconcile', { root: true });
      const context = trace.setSpan(ROOT_CONTEXT, root);
      return {
        id,
        async step(name, work) {
          const span = tracer.startSpan(name, {}, context);
          try {
            return await work();
          } catch (error) {
            span.setStatus({
              code: SpanStatusCode.ERROR,
              message: error instanceof Error ? error.message : String(error),
            });
            throw error;
          } finally {
            span.end();
          }
        },
        end(result, error) {
          root.setAttribute('drimbox.result', result);
          if (error !== undefined) root.setStatus({ code: SpanStatusCode.ERROR, message: error });
          root.end();
        },
      };
    },
    stop: async () => await provider.shutdown(),
  };
}
