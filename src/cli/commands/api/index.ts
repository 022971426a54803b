// `zester api`: serve the HTTP interface.
import { command } from '../../command/declaration.js';
import { HTTP_OPTIONS } from '../../serve/http-options.js';

export default command({
  summary: 'serve the HTTP interface',
  section: 'Other',
  needs: 'fleet',
  options: HTTP_OPTIONS,
  notes: `
Serves JSON over HTTP under /api/v1, with the permissions of the command's admin credential. Programs need a token: see
"zester api create-token". /api/v1/openapi.json describes the interface, and /api/v1/events pushes audit events and
changed peels. It listens on this machine only, unless --host is given. It has no TLS: to reach it from elsewhere, put a
TLS proxy in front of it.`,
  examples: ['zester api', 'zester api --port 8443 --creds approver.creds'],
  async run({ host, port }, context) {
    const { runApi } = await import('../../serve/run-api.js');
    await runApi({ host, port, page: false, open: false }, context);
  },
});
