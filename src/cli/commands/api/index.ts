// `zester api`: serve the HTTP interface.
import { command } from '../../command/declaration.js';
import { HTTP_OPTIONS } from '../../serve/http-options.js';

export default command({
  summary: 'serve the HTTP interface',
  section: 'Other',
  needs: 'fleet',
  options: HTTP_OPTIONS,
  notes: `
JSON over HTTP under /api/v1, with the admin credential of the command: it can do what that admin may do. Programs need a
token, which "zester api create-token" makes; /api/v1/openapi.json describes the interface, and /api/v1/events pushes audit
events and changed peels. It listens on this machine only unless --host says otherwise; it has no TLS, so put a proxy with TLS
in front of it there.`,
  examples: ['zester api', 'zester api --port 8443 --creds approver.creds'],
  async run({ host, port }, context) {
    const { runApi } = await import('../../serve/run-api.js');
    await runApi({ host, port, page: false, open: false }, context);
  },
});
