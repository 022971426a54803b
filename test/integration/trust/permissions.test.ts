import { describe, expect, it } from 'vitest';
import { setPeelTemplate, peelTemplate } from '../../../src/account/permissions.js';
import { showAccount } from '../../../src/account/check-account.js';
import { peelPermissionsTemplate } from '../../../src/permissions/roles.js';
import { openTrustDomain } from '../../../src/trust/open.js';
import { scopedKeyOf } from '../../../src/trust/keys/signing-keys.js';
import { editPermissions } from '../../../src/trust/template.js';
import { zester } from '../../cli/run-zester.js';
import { refusal } from '../../support/refusal.js';
import { waitFor } from '../../support/wait-for.js';
import { withResponses } from '../../trust/older-home.js';
import { snapshot, startHome } from './support.js';

describe('the limits in the template of all peels', () => {
  const limitsOf = async (home: string) => {
    const { accountClaims, publicKeys } = await openTrustDomain(home);
    const { template } = scopedKeyOf(home, accountClaims, publicKeys.peelSigning);
    return [template.payload, template.subs, template.allowed_connection_types];
  };

  it('stay when permissions change, and are restored with --default', async () => {
    const fleet = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const at = ['--home', fleet.home, '--servers', ...fleet.servers, '--yes'];
    await zester(['permissions', 'migrate', ...at]);
    const safe = [131_072, 256, ['STANDARD', 'WEBSOCKET']];
    const set = await zester(['permissions', 'set', '--allow-publish', 'plant.{{name()}}', ...at]);
    expect(set.code, set.stderr).toBe(0);
    expect(await limitsOf(fleet.home)).toEqual(safe);

    const older = await startHome({ prepare: withResponses, credsLifetime: 0 });
    const there = ['--home', older.home, '--servers', ...older.servers, '--yes'];
    const whole = await zester(['permissions', 'set', '--default', ...there]);
    expect(whole.code, whole.stderr).toBe(0);
    expect(await limitsOf(older.home)).toEqual(safe);
    expect((await peelTemplate(older.home)).permissions).toEqual(peelPermissionsTemplate());
  });
});

describe('the permissions of all peels', () => {
  it('are initially the documented ones', async () => {
    const fleet = await startHome();
    const { role, signingKeys, permissions } = await peelTemplate(fleet.home);
    expect(role).toBe('peel');
    expect(signingKeys).toEqual([(await fleet.domain()).publicKeys.peelSigning]);
    expect(permissions).toEqual(peelPermissionsTemplate());
  });

  it('change for a connected peel, without a new credential, and each peel still has its own subjects', async () => {
    const fleet = await startHome();
    const one = await fleet.peel('web-01', (await fleet.issue('web-01')).path);
    const master = await fleet.peel('zester-master', (await fleet.domain()).paths.masterCreds);
    const subjects: string[] = [];
    master.nc.subscribe('zester.>', { callback: (_error, message) => void subjects.push(message.subject) });
    await master.nc.flush();
    const publishes = async (subject: string) => {
      one.nc.publish(subject);
      await one.nc.flush();
      await master.nc.flush();
      return subjects.includes(subject);
    };
    expect(await publishes('zester.metrics.web-01')).toBe(false);

    const { report } = await setPeelTemplate(
      fleet.home,
      (permissions) =>
        editPermissions(fleet.home, permissions, [
          { what: 'publish', list: 'allow', subject: 'zester.metrics.{{name()}}' },
          { what: 'publish', list: 'allow', subject: 'zester.event.{{name()}}.>', remove: true },
        ]),
      fleet.options,
    );

    expect(report?.confirmed).toEqual(['n1']);
    await one.cut; // each connection is dropped once, and comes back by itself
    await waitFor('the new permission', () => publishes('zester.metrics.web-01'));
    expect(await publishes('zester.metrics.web-02')).toBe(false);
    expect(await publishes('zester.event.web-01.up'), 'what was taken away').toBe(false);
    expect(await publishes('zester.job.7.return.web-01'), 'what was not touched').toBe(true);
    expect((await showAccount(fleet.home, fleet.options)).inSync).toBe(true);
  });

  it('are not pushed again where nothing changes', async () => {
    const fleet = await startHome();
    const before = await snapshot(fleet.home);
    const { before: was, after } = await setPeelTemplate(
      fleet.home,
      (permissions) => permissions,
      fleet.options,
    );
    expect(after).toEqual(was);
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it.each([
    ['a subject with an empty token', { subject: 'zester..x' }, 'zester..x'],
    ['an unknown template', { subject: 'zester.{{nam()}}' }, '{{nam()}}'],
    ['a template that is a part of a token', { subject: 'zester.x-{{name()}}' }, 'x-{{name()}}'],
    ['removing a missing subject', { subject: 'nothing.here', remove: true }, 'nothing.here'],
  ])('are refused with %s, and nothing is changed', async (_name, edit, message) => {
    const fleet = await startHome();
    const before = await snapshot(fleet.home);
    const error = await refusal('ERR_TRUST_PERMISSIONS', () =>
      setPeelTemplate(
        fleet.home,
        (permissions) =>
          editPermissions(fleet.home, permissions, [{ what: 'publish', list: 'allow', ...edit }]),
        fleet.options,
      ),
    );
    expect(error.message).toContain(message);
    expect(await snapshot(fleet.home)).toEqual(before);
  });

  it('are refused if they remove the last subject: to a server an empty list allows everything', async () => {
    const fleet = await startHome();
    const set = (deny: string[]) =>
      setPeelTemplate(
        fleet.home,
        (permissions) => ({ ...permissions, publish: { allow: [], deny } }),
        fleet.options,
      );
    const error = await refusal('ERR_TRUST_PERMISSIONS', () => set([]));
    expect(error.message).toContain('servers read an empty list as "everything"');
    expect((await set(['>'])).report?.confirmed).toEqual(['n1']);
  });
});
