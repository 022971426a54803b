// The isolation matrix: what each role may publish and subscribe to. docs/security.md prints it.
import { AUDIT_STREAM, BUCKETS, bucketStream } from '../../src/permissions/names.js';

/** The roles of the matrix. `peel` is `web-01`, and tries itself on everything of `web-02`. */
export const ROLES = [
  'peel',
  'recovery',
  'token',
  'master',
  'answers',
  'viewer',
  'approver',
  'operator',
  'owner',
] as const;
export type Role = (typeof ROLES)[number];

/** The name of a role in the printed matrix. */
export const ROLE_WORDS: Readonly<Record<Role, string>> = {
  peel: 'peel',
  recovery: 'recovery credential',
  token: 'join token',
  master: 'master',
  answers: "master's answers",
  viewer: 'viewer',
  approver: 'approver',
  operator: 'operator',
  owner: 'owner',
};

/** Subjects of one kind, and the roles that may use them. All others are refused. */
export interface SubjectClass {
  what: string;
  subjects: readonly string[];
  publish: readonly Role[];
  subscribe: readonly Role[];
}

const PEEL = 'web-01';
const OTHER = 'web-02';
/** The names of the join tokens' users. */
export const TOKEN = 'Ab12Cd34';
const OTHER_TOKEN = 'Zy98Xw76';
export const PEEL_ID = PEEL;

/** The admin of the tested role, and another admin. */
export const ADMIN = 'ann';
const OWN_REQUESTS = `zester.admin._zester-admin-${ADMIN}`;
const OTHER_ADMIN = '_zester-admin-ben';

const STREAMS = [...BUCKETS.map(bucketStream), AUDIT_STREAM];
const all = (make: (stream: string) => string | readonly string[]) => STREAMS.flatMap(make);

export const ISOLATION: readonly SubjectClass[] = [
  {
    what: "a peel's own events",
    subjects: [`zester.event.${PEEL}.started`, `zester.event.${PEEL}.a.b.c`],
    publish: ['peel'],
    subscribe: ['master', 'operator', 'owner'],
  },
  {
    what: "another peel's events",
    subjects: [`zester.event.${OTHER}.started`, 'zester.event.*.started', 'zester.event.>'],
    publish: [],
    subscribe: ['master', 'operator', 'owner'],
  },
  {
    what: "a peel's own requests to masters",
    subjects: [`zester.auth.${PEEL}.renew`, `zester.auth.${PEEL}.rotate`, `zester.auth.${PEEL}.other`],
    publish: ['peel'],
    subscribe: ['master', 'answers'],
  },
  {
    what: 'requests in the name of another peel',
    subjects: [`zester.auth.${OTHER}.renew`, `zester.auth.${OTHER}.rotate`],
    publish: [],
    subscribe: ['master', 'answers'],
  },
  {
    what: "a join token's own requests",
    subjects: [`zester.enroll._zester-join-${TOKEN}.challenge`, `zester.enroll._zester-join-${TOKEN}.join`],
    publish: ['token'],
    subscribe: ['master', 'answers'],
  },
  {
    what: "a recovery credential's own requests",
    subjects: [
      `zester.enroll._zester-recover-${PEEL}.challenge`,
      `zester.enroll._zester-recover-${PEEL}.recover`,
    ],
    publish: ['recovery'],
    subscribe: ['master', 'answers'],
  },
  {
    what: "requests in the name of another peel's recovery credential",
    subjects: [`zester.enroll._zester-recover-${OTHER}.recover`, 'zester.enroll.>'],
    publish: [],
    subscribe: ['master', 'answers'],
  },
  {
    what: 'requests in the name of another join token',
    subjects: [`zester.enroll._zester-join-${OTHER_TOKEN}.join`, `zester.enroll.${PEEL}.join`],
    publish: [],
    subscribe: ['master', 'answers'],
  },
  {
    what: "an admin's own requests that read",
    subjects: ['peel.list', 'peel.show', 'audit', 'status', 'token.list'].map(
      (verb) => `${OWN_REQUESTS}.${verb}`,
    ),
    publish: ['viewer', 'approver', 'operator', 'owner'],
    subscribe: ['master', 'answers'],
  },
  {
    what: "an admin's own requests about new peels",
    subjects: ['peel.accept', 'peel.reject', 'token.create', 'token.remove'].map(
      (verb) => `${OWN_REQUESTS}.${verb}`,
    ),
    publish: ['approver', 'operator', 'owner'],
    subscribe: ['master', 'answers'],
  },
  {
    what: "an admin's own requests about all peels",
    subjects: ['peel.add', 'peel.revoke', 'peel.rotate', 'master.resume'].map(
      (verb) => `${OWN_REQUESTS}.${verb}`,
    ),
    publish: ['operator', 'owner'],
    subscribe: ['master', 'answers'],
  },
  {
    what: 'requests in the name of another admin',
    subjects: [`zester.admin.${OTHER_ADMIN}.peel.list`, `zester.admin.${OTHER_ADMIN}.peel.revoke`],
    publish: ['owner'],
    subscribe: ['master', 'answers'],
  },
  {
    what: "the owner's requests",
    subjects: ['zester.admin.peel.accept', 'zester.admin.peel.list', 'zester.admin.audit'],
    publish: ['owner'],
    subscribe: ['master', 'answers'],
  },
  {
    what: 'commands to a peel',
    subjects: [`zester.cmd.${PEEL}`, `zester.cmd.${PEEL}.notice`],
    publish: ['master', 'operator', 'owner'],
    subscribe: ['peel', 'master'],
  },
  {
    what: 'commands to another peel',
    subjects: [`zester.cmd.${OTHER}`, `zester.cmd.${OTHER}.notice`, 'zester.cmd.>', 'zester.cmd.*'],
    publish: ['master', 'operator', 'owner'],
    subscribe: ['master'],
  },
  {
    what: "a peel's own replies",
    subjects: [`zester.job.n1.return.${PEEL}`],
    publish: ['peel', 'master'],
    subscribe: ['master', 'operator', 'owner'],
  },
  {
    what: "another peel's replies",
    subjects: [`zester.job.n1.return.${OTHER}`, 'zester.job.*.return.*'],
    publish: ['master'],
    subscribe: ['master', 'operator', 'owner'],
  },
  {
    what: "a peel's inbox",
    subjects: [`_INBOX.${PEEL}.x`],
    publish: ['master', 'answers'],
    subscribe: ['peel'],
  },
  {
    what: "another peel's inbox",
    subjects: [`_INBOX.${OTHER}.x`, `_INBOX.${OTHER}.>`],
    publish: ['master', 'answers'],
    subscribe: [],
  },
  {
    what: "a join token's inbox",
    subjects: [`_INBOX._zester-join-${TOKEN}.x`],
    publish: ['master', 'answers'],
    subscribe: ['token'],
  },
  {
    what: "a recovery credential's inbox",
    subjects: [`_INBOX._zester-recover-${PEEL}.x`],
    publish: ['master', 'answers'],
    subscribe: ['recovery'],
  },
  {
    what: "another recovery credential's inbox",
    subjects: [`_INBOX._zester-recover-${OTHER}.x`],
    publish: ['master', 'answers'],
    subscribe: [],
  },
  {
    what: "another join token's inbox",
    subjects: [`_INBOX._zester-join-${OTHER_TOKEN}.x`],
    publish: ['master', 'answers'],
    subscribe: [],
  },
  {
    what: "masters' inboxes",
    subjects: ['_INBOX._zester-master.x'],
    publish: ['master', 'answers'],
    subscribe: ['master'],
  },
  {
    what: "an admin's inbox",
    subjects: [`_INBOX._zester-admin-${ADMIN}.x`],
    publish: ['master', 'answers'],
    subscribe: ['viewer', 'approver', 'operator'],
  },
  {
    what: "another admin's inbox",
    subjects: [`_INBOX.${OTHER_ADMIN}.x`, `_INBOX.${OTHER_ADMIN}.>`],
    publish: ['master', 'answers'],
    subscribe: [],
  },
  {
    what: "the owner's inbox",
    subjects: ['_INBOX._zester-admin.x'],
    publish: ['master', 'answers'],
    subscribe: ['owner'],
  },
  {
    what: 'all inboxes',
    subjects: ['_INBOX.>', '_INBOX.*.x', '_INBOX.x'],
    publish: ['master', 'answers'],
    subscribe: [],
  },
  {
    what: 'everything of the fleet',
    subjects: ['zester.>', 'zester.*.web-02.>'],
    publish: [],
    subscribe: ['master'],
  },
  {
    what: 'everything in the account',
    subjects: ['>', '*', '*.>'],
    publish: [],
    subscribe: [],
  },
  {
    what: 'events of the audit log',
    subjects: [`zester.audit.${PEEL}.key.revoked`, 'zester.audit._.account.restored'],
    publish: ['master'],
    subscribe: ['master', 'viewer', 'approver', 'operator', 'owner'],
  },
  {
    what: "the server's confirmations of stored audit events",
    subjects: [`zester.audited.${PEEL}.key.revoked`],
    publish: [],
    subscribe: ['master'],
  },
  {
    what: 'presence messages between masters',
    subjects: ['zester.presence.changes', 'zester.presence.of.m1'],
    publish: ['master'],
    subscribe: ['master'],
  },
  {
    what: "records of the fleet's buckets, written without JetStream",
    subjects: BUCKETS.map((bucket) => `$KV.${bucket}.${OTHER}`),
    publish: ['master'],
    subscribe: [],
  },
  {
    what: 'any other bucket',
    subjects: ['$KV.orders.1', '$O.files.C.x'],
    publish: [],
    subscribe: [],
  },
  {
    what: "reading the fleet's streams",
    subjects: all((stream) => [
      `$JS.API.STREAM.INFO.${stream}`,
      `$JS.API.STREAM.MSG.GET.${stream}`,
      `$JS.API.CONSUMER.CREATE.${stream}.c.f`,
      `$JS.API.CONSUMER.INFO.${stream}.c`,
      `$JS.API.CONSUMER.MSG.NEXT.${stream}.c`,
      `$JS.API.CONSUMER.DELETE.${stream}.c`,
      `$JS.FC.${stream}.c.x`,
    ]),
    publish: ['master'],
    subscribe: [],
  },
  {
    what: "reading the fleet's streams in ways that masters do not need",
    subjects: all((stream) => [
      `$JS.API.DIRECT.GET.${stream}`,
      `$JS.API.DIRECT.GET.${stream}.$KV.zester-peels.${OTHER}`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.c`,
      `$JS.API.CONSUMER.NAMES.${stream}`,
      `$JS.API.CONSUMER.LIST.${stream}`,
      `$JS.API.CONSUMER.LEADER.STEPDOWN.${stream}.c`,
      `$JS.API.CONSUMER.PAUSE.${stream}.c`,
      `$JS.API.STREAM.SNAPSHOT.${stream}`,
      `$JS.ACK.${stream}.c.1.1.1.1.0`,
      `$JS.SNAPSHOT.ACK.${stream}.x`,
    ]),
    publish: [],
    subscribe: [],
  },
  {
    what: "creating the fleet's streams",
    subjects: all((stream) => `$JS.API.STREAM.CREATE.${stream}`),
    publish: ['master'],
    subscribe: [],
  },
  {
    what: "changing or emptying the fleet's streams",
    subjects: all((stream) => [
      `$JS.API.STREAM.UPDATE.${stream}`,
      `$JS.API.STREAM.DELETE.${stream}`,
      `$JS.API.STREAM.PURGE.${stream}`,
      `$JS.API.STREAM.MSG.DELETE.${stream}`,
      `$JS.API.STREAM.RESTORE.${stream}`,
      `$JS.API.STREAM.LEADER.STEPDOWN.${stream}`,
      `$JS.API.STREAM.PEER.REMOVE.${stream}`,
    ]),
    publish: [],
    subscribe: [],
  },
  {
    what: "any other stream, which could mirror the fleet's",
    subjects: [
      '$JS.API.STREAM.CREATE.mirror',
      '$JS.API.STREAM.UPDATE.orders',
      '$JS.API.STREAM.DELETE.orders',
      '$JS.API.STREAM.PURGE.orders',
      '$JS.API.STREAM.INFO.orders',
      '$JS.API.STREAM.MSG.GET.orders',
      '$JS.API.DIRECT.GET.orders',
      '$JS.API.CONSUMER.CREATE.orders.c.f',
      '$JS.API.CONSUMER.DURABLE.CREATE.orders.c',
      '$JS.API.CONSUMER.MSG.NEXT.orders.c',
    ],
    publish: [],
    subscribe: [],
  },
  {
    what: 'listing and administering JetStream',
    subjects: [
      '$JS.API.STREAM.NAMES',
      '$JS.API.STREAM.LIST',
      '$JS.API.ACCOUNT.PURGE.x',
      '$JS.API.META.LEADER.STEPDOWN',
      '$JS.API.SERVER.REMOVE',
      '$JS.API.>',
      '$JS.EVENT.ADVISORY.>',
    ],
    publish: [],
    subscribe: [],
  },
  { what: 'whether JetStream is enabled', subjects: ['$JS.API.INFO'], publish: ['master'], subscribe: [] },
  {
    what: 'service discovery',
    subjects: ['$SRV.PING', '$SRV.INFO.zester-master', '$SRV.STATS'],
    publish: ['owner'],
    subscribe: ['master', 'answers'],
  },
  {
    what: 'requests to the servers',
    subjects: [
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.SERVER.PING.CONNZ',
      '$SYS.REQ.ACCOUNT.A.CLAIMS.LOOKUP',
      '$SYS.REQ.CLAIMS.LIST',
    ],
    publish: [],
    subscribe: [],
  },
  {
    what: 'server events',
    subjects: ['$SYS.ACCOUNT.A.CONNECT', '$SYS.SERVER.N.STATSZ'],
    publish: [],
    subscribe: [],
  },
  {
    what: "subjects of the account's own services",
    subjects: ['orders.new', 'web-01', 'zester'],
    publish: [],
    subscribe: [],
  },
  {
    what: "another peel's facts, as published by earlier versions",
    subjects: ['zester.fact.web-02'],
    publish: [],
    subscribe: ['master'],
  },
  {
    what: "another peel's acknowledgements, as published by earlier versions",
    subjects: ['zester.job.n1.ack.web-02'],
    publish: ['master'],
    subscribe: ['master'],
  },
];
