// The option names of startPeel and joinFleet, so that a misspelled option is rejected instead of ignored.
import {
  CLIENT_ENTRIES,
  CONNECT_ENTRIES,
  connectOptionsError,
  INSTEAD,
  PEEL_ENTRIES,
} from '../connection/option-names.js';
import { anything, bag, callback, checkOptions, flag } from '../options/check-options.js';

const START_PEEL = bag(
  {
    ...CONNECT_ENTRIES,
    ...PEEL_ENTRIES,
    peelId: anything,
    handlers: anything,
    facts: callback,
    waitOnFirstConnect: flag,
    signal: anything,
    renew: flag,
    recovery: anything,
    commands: bag({ concurrency: anything, queue: anything, timeoutMs: anything }),
  },
  { instead: INSTEAD },
);

const JOIN = bag(
  {
    ...CLIENT_ENTRIES,
    requireTls: flag,
    token: anything,
    peelId: anything,
    out: anything,
    waitMs: anything,
    signal: anything,
    onEvent: callback,
    now: callback,
  },
  { required: ['token', 'peelId', 'out'] },
);

const RECOVER = bag(
  {
    servers: anything,
    tls: anything,
    requireTls: flag,
    timeout: anything,
    credentials: anything,
    credsPath: anything,
    peelId: anything,
    recovery: anything,
    waitMs: anything,
    signal: anything,
    onEvent: callback,
    now: callback,
  },
  { instead: INSTEAD },
);

/** @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkRecoverNames(options: unknown): void {
  checkOptions('recoverCredentials', options, RECOVER, connectOptionsError);
}

/** @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkPeelNames(options: unknown): void {
  checkOptions('startPeel', options, START_PEEL, connectOptionsError);
}

/** @throws ConnectError `ERR_CONNECT_OPTIONS` */
export function checkJoinNames(options: unknown): void {
  checkOptions('joinFleet', options, JOIN, connectOptionsError);
}
