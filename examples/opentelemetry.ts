// Spans and metrics of Zester's connections for OpenTelemetry. It needs no package: give it a tracer and a meter.
// import { metrics, trace } from '@opentelemetry/api';
// const stop = observeZester({ tracer: trace.getTracer('zester'), meter: metrics.getMeter('zester') });
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { DIAGNOSTICS_CHANNELS } from 'zester';
import type { ConnectionMessage, RenewalMessage, RotationMessage } from 'zester';

type Attributes = Record<string, string | number | boolean>;

/** The part of OpenTelemetry's API that is used. */
export interface Telemetry {
  tracer: { startSpan(name: string, options: { startTime: number; attributes: Attributes }): Span };
  meter: {
    createCounter(name: string): { add(value: number, attributes: Attributes): void };
    createHistogram(name: string): { record(value: number, attributes: Attributes): void };
  };
}
interface Span {
  recordException(error: Error): void;
  setStatus(status: { code: 0 | 1 | 2; message?: string }): unknown;
  end(): void;
}

/** Observes every connection and every peel of this process. @returns ends it */
export function observeZester({ tracer, meter }: Telemetry): () => void {
  const events = meter.createCounter('zester.connection.events');
  const durations = meter.createHistogram('zester.operation.duration_ms');

  const operation = (name: string, attributes: Attributes, durationMs: number, error?: Error) => {
    durations.record(durationMs, { operation: name, failed: error !== undefined });
    const span = tracer.startSpan(name, { startTime: Date.now() - durationMs, attributes });
    if (error !== undefined) {
      span.recordException(error);
      span.setStatus({ code: 2, message: error.message });
    }
    span.end();
  };
  const listeners = {
    connection: ({ event, peelId = '' }: ConnectionMessage) =>
      events.add(1, { type: event.type, peel: peelId }),
    rotation: ({ how, peelId = '', durationMs, error }: RotationMessage) =>
      operation('zester.connection.rotate', { how, peel: peelId }, durationMs, error),
    renewal: ({ what, peelId, durationMs, error }: RenewalMessage) =>
      operation(`zester.credential.${what}`, { peel: peelId }, durationMs, error),
  };
  // an error in a subscriber would be an uncaught exception
  const guarded = (which: keyof typeof listeners) => (message: unknown) => {
    try {
      listeners[which](message as never);
    } catch (error) {
      console.error('telemetry failed', error);
    }
  };
  const channels = (['connection', 'rotation', 'renewal'] as const).map(
    (which) => [DIAGNOSTICS_CHANNELS[which], guarded(which)] as const,
  );
  for (const [name, listener] of channels) subscribe(name, listener);
  return () => channels.forEach(([name, listener]) => unsubscribe(name, listener));
}
