// Adds the metrics of a master to the user's registry.
import { FleetError } from '../errors.js';
import { errorMessage } from '../text/error-message.js';

/** A metric in the form of prom-client: `get()` reads its values. */
export interface RegisteredMetric {
  /** Reads its values. */
  get(): Promise<{ name: string; help: string; values: { value: number; labels: object }[] }>;
}

/** The methods of a metrics registry that a master uses. A `Registry` of prom-client is one. */
export interface MetricsRegistry {
  /** Adds a metric of the master; called once for each, before `startMaster` resolves. */
  registerMetric(metric: RegisteredMetric): void;
  /** Called when the master stops, so that another one can be registered. */
  removeSingleMetric?(name: string): void;
}

/** The interface for registering metrics. Not a prom-client type, since the package does not include those. */
interface OwnRegistry {
  getMetricsAsArray(): readonly { name: string }[];
  getSingleMetric(name: string): unknown;
}

/**
 * Registers all metrics of a master.
 *
 * @returns a function that removes them; a failure to remove is ignored
 * @throws FleetError `ERR_FLEET_CONFIG` when the registry rejects them: two masters cannot share one
 */
export function registerMetrics(
  metrics: { readonly registry: OwnRegistry },
  registry: MetricsRegistry,
): () => void {
  const names: string[] = [];
  const remove = () => {
    for (const name of names.splice(0)) {
      try {
        registry.removeSingleMetric?.(name);
      } catch {
        // the registry belongs to the user, and nothing depends on it
      }
    }
  };
  try {
    for (const { name } of metrics.registry.getMetricsAsArray()) {
      const metric = metrics.registry.getSingleMetric(name);
      if (metric === undefined) continue;
      registry.registerMetric(metric as RegisteredMetric);
      names.push(name);
    }
  } catch (cause) {
    remove();
    throw new FleetError(
      'ERR_FLEET_CONFIG',
      `metrics: the registry rejected the master's metrics (${errorMessage(cause)}): give each master its own registry`,
      { cause },
    );
  }
  return remove;
}
