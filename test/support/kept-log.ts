import type { MasterLogger } from '../../src/master/logger.js';

/** A logger that collects entries by level. */
export function keptLog(): {
  logger: MasterLogger;
  lines: { level: string; fields: object; text: string }[];
} {
  const lines: { level: string; fields: object; text: string }[] = [];
  const level = (name: string) => (fields: object, text: string) =>
    void lines.push({ level: name, fields, text });
  const logger = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
  return { logger: logger as unknown as MasterLogger, lines };
}
