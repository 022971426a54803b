// The options of the commands that serve the HTTP interface.
import { count, text } from '../command/option.js';

/** The default address of the page and the HTTP interface. */
export const UI_PORT = 4_280;

export const HTTP_OPTIONS = {
  host: text('--host <address>', 'address to listen on', '127.0.0.1'),
  port: count(
    '--port <port>',
    'port to listen on; 0 = any free port',
    { min: 0, max: 65_535 },
    String(UI_PORT),
  ),
};
