// Makes the handlers of a peel: the built-in ones, and those of the program.
import { BUILT_IN_HANDLERS, type BuiltInContext } from './built-in-handlers.js';
import type { PeelEvent } from './events.js';
import { Handlers, type Handler, type HandlersOptions } from './handlers.js';

/** The dependencies of the handlers of a peel. */
export interface HandlersOfPeel {
  /** Of the program, by their names. */
  handlers: Readonly<Record<string, Handler>> | undefined;
  limits: Pick<HandlersOptions, 'concurrency' | 'queue' | 'timeoutMs'> | undefined;
  /** Of the built-in handlers. */
  context: BuiltInContext;
  emit: (event: PeelEvent) => void;
}

/**
 * Makes the handlers of a peel. An event reports each command.
 *
 * @throws TypeError if a name is invalid or built in
 */
export function createHandlers({ handlers: given = {}, limits, context, emit }: HandlersOfPeel): Handlers {
  const handlers = new Handlers({
    peelId: context.peelId,
    ...limits,
    onFailure: (handler, thrown) => {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      emit({ type: 'commandFailed', handler, error });
    },
    onAnswered: (command) => emit({ type: 'command', ...command }),
  });
  for (const [name, handler] of Object.entries(BUILT_IN_HANDLERS))
    handlers.handle(name, () => handler(context), { fixed: true });
  for (const [name, handler] of Object.entries(given)) handlers.handle(name, handler);
  return handlers;
}
