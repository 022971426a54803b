// Every wait, deadline, interval, backoff and retention time, in one place.
// The suffix of a name is its unit. Limits of a format and user settings are with their owners.

// --- Credentials and clocks ---

/** The default lifetime of a home's own credentials, in seconds: 90 days. */
export const OWN_CREDENTIALS_LIFETIME_SECONDS = 90 * 86_400;
/** How often a master checks its own credentials. After a failed renewal it retries sooner. */
export const OWN_CREDENTIALS_INTERVAL_MS = 3_600_000;
export const OWN_CREDENTIALS_RETRY_MS = 60_000;
export const OWN_CREDENTIALS_MIN_WAIT_MS = 250;
/** How long a renewal waits for the home's lock: another command may be renewing the same credentials. */
export const OWN_CREDENTIALS_LOCK_WAIT_MS = 2_000;

/** Warn when a credential expires within this time. */
export const EXPIRY_WARNING_MS = 7 * 86_400_000;
/**
 * The allowed clock skew between signers and revokers. A JWT that claims to be issued later than this
 * after its connection began is refused, unless the registry knows it.
 */
export const CLOCK_ALLOWANCE_SECONDS = 120;
/** Doctor warns when a server's clock is off by more than this: the server misjudges JWTs that begin or expire now. */
export const SERVER_CLOCK_WARNING_MS = 2_000;
/** Doctor reports an error when it is off by more: new JWTs may be refused as not yet valid, expired ones accepted. */
export const SERVER_CLOCK_ERROR_MS = 60_000;
/** A master logs a warning when its clock differs from a server's by more than this. */
export const MASTER_CLOCK_WARNING_MS = 30_000;
/** The lifetime of the user that changes the fleet's streams; it is signed for one run. */
export const STREAM_GUARD_LIFETIME_SECONDS = 120;

/** How often a connection compares the clock with credentials that are not valid yet: the clock may be set. */
export const EARLY_CREDENTIALS_CHECK_MS = 60_000;

// --- Recovery after expiry ---

/**
 * A recovery credential outlives the peel's credential by at least this, or by the policy's time if that is longer:
 * the policy may change later.
 */
export const RECOVERY_CREDENTIAL_SECONDS = 300 * 86_400;
/** A new one outlives it by this much more, so that few renewals need another. */
export const RECOVERY_CREDENTIAL_SPARE_SECONDS = 100 * 86_400;
/** The window in which the recoveries of a peel are counted against the limit. */
export const RECOVERY_LIMIT_WINDOW_SECONDS = 30 * 86_400;
/** The first backoff of an expired peel that asks to recover; it doubles with each attempt. */
export const RECOVERY_FIRST_RETRY_MS = 1_000;
/** The maximum of that backoff: a peel notices the end of an outage of all masters this much later. */
export const RECOVERY_MAX_RETRY_MS = 20_000;
/** The maximum backoff while a master says that the credential is valid, or an admin has to decide. */
export const RECOVERY_MAX_IDLE_RETRY_MS = 60_000;
/** A running peel treats its credential as expired this long before its expiry: a server's clock may be ahead. */
export const RECOVERY_CLOCK_DOUBT_MS = 30_000;
/** Timeout for the answer to a recovery request. */
export const RECOVERY_ANSWER_TIMEOUT_MS = 10_000;
/** The default timeout of "zester peel recover" and recoverCredentials(). */
export const RECOVERY_TIMEOUT_MS = 2 * 60_000;

// --- How long things are kept ---

/** A revocation stays in the account JWT this long after the last JWT of its key expired. */
export const REVOCATION_KEPT_AFTER_EXPIRY_SECONDS = 600;
/** A revoked key stays in its record this long after its last JWT expired, so that its revocation is cleared first. */
export const REVOKED_KEY_KEPT_SECONDS = 3_600;
/** The account JWT remembers a removal this long: another machine's copy may be that old. */
export const REMOVAL_KEPT_SECONDS = 400 * 86_400;
/** The audit retention of a new fleet; "zester audit retention" changes it. */
export const AUDIT_RETENTION_MS = 400 * 86_400_000;
/** Masters and doctor warn this long (or a tenth of the retention) before the audit log deletes its oldest events. */
export const AUDIT_NOTICE_MS = 30 * 86_400_000;
/** The minimum retention: an admin must be able to see what happened since yesterday. */
export const SHORTEST_AUDIT_RETENTION_MS = 86_400_000;
/** How often a master checks what the audit log has deleted. */
export const AUDIT_RETENTION_INTERVAL_MS = 3_600_000;
/** How often a master logs that events are about to be deleted. */
export const AUDIT_NOTICE_INTERVAL_MS = 86_400_000;
/** How long an expired or removed join token stays in the list. */
export const ENDED_TOKEN_KEPT_MS = 7 * 86_400_000;
/** The lifetime of a challenge. */
export const CHALLENGE_LIFETIME_MS = 5 * 60_000;
/**
 * How far the time of an admin's request may be from the master's clock. Stored nonces live longer than both sides of
 * this window together ({@link CHALLENGE_LIFETIME_MS}).
 */
export const ADMIN_REQUEST_WINDOW_MS = 60_000;
/** The deduplication window of the audit stream. */
export const AUDIT_DEDUPLICATION_MS = 10 * 60_000;
/** How long a master remembers a published event, so that it does not publish it for another master. */
export const AUDIT_SEEN_KEPT_MS = 60_000;
/** Doctor reports a consumer that has been idle longer: no running master owns it. */
export const MASTER_CONSUMER_IDLE_MS = 10 * 60_000;

// --- Files and the home ---

/** Timeout for reading a pipe that the shell opened. */
export const PIPE_READ_TIMEOUT_MS = 30_000;
/** The pause between two reads of an empty pipe. */
export const PIPE_POLL_MS = 5;
/** The maximum random backoff of two processes that claim a directory at the same instant. */
export const CLAIM_RETRY_MAX_MS = 50;
/** How often, at most, a directory is searched for stale temporary files. */
export const TEMPORARY_SWEEP_INTERVAL_MS = 3_600_000;
/** A temporary file of another host is stale after this: its process cannot be checked, and no write takes an hour. */
export const TEMPORARY_MAX_AGE_MS = 3_600_000;
/** How long a command waits for the lock of the home. */
export const HOME_LOCK_TIMEOUT_MS = 10_000;
/** How often it tries to take the lock. */
export const HOME_LOCK_POLL_MS = 25;
/** How often a master checks whether a command has changed its home. */
export const HOME_RELOAD_INTERVAL_MS = 1_000;

// --- Bulk ---

/** Batches of files that arrive within this time are synced to disk together. */
export const SYNC_GATHER_MS = 60;
/** The first backoff before a failed program runs again; it doubles with each attempt. */
export const PROGRAM_RETRY_MS = 1_000;
/** The default of `--timeout`: how long a program may take for one credential. */
export const PROGRAM_TIMEOUT_SECONDS = 60;
/** How often the progress bar on a terminal is updated. */
export const PROGRESS_TERMINAL_MS = 100;
/** How often progress is logged. */
export const PROGRESS_LOG_MS = 10_000;

// --- Requests to masters and peels ---

/** Timeout for a master's answer. */
export const ASK_TIMEOUT_MS = 10_000;
/**
 * The minimum timeout for requests that a master answers only once every server has confirmed, or has failed to in
 * time: after the loss of a server, the master first waits for JetStream to elect another leader.
 */
export const ASK_CONFIRMED_TIMEOUT_MS = 40_000;
/** Timeout between two parts of a streamed answer; reading the audit stream may be slow. */
export const ASK_PART_TIMEOUT_MS = 60_000;
/** An unanswered request is sent again at these times after the first attempt. */
export const RESEND_AT_MS = [2_000, 5_000];
/** The pause before a request without responders is retried: a master may be about to reconnect. */
export const NO_RESPONDERS_RETRY_MS = 400;
/** Timeout for a peel's answer to a command. */
export const COMMAND_TIMEOUT_MS = 10_000;
/** How long doctor waits for a master. */
export const DOCTOR_MASTER_TIMEOUT_MS = 5_000;
/** Timeout of each probe for a master under `--wait`. */
export const MASTER_PROBE_TIMEOUT_MS = 2_000;
/** The pause between two attempts of a command that waits for something to start. */
export const STARTING_RETRY_MS = 100;

// --- Servers and the system account ---

/** Timeout for a command that connects once: it fails instead of waiting. */
export const CONNECT_ONCE_TIMEOUT_MS = 3_000;
/** Timeout for the connection of an admin's command or of doctor. */
export const ADMIN_CONNECT_TIMEOUT_MS = 5_000;
/** Timeout for one server's answer. */
export const SERVER_REQUEST_TIMEOUT_MS = 3_000;
/** The default timeout for all servers' answers. */
export const REQUEST_ALL_TIMEOUT_MS = 5_000;
/** Timeout for all servers' answers to a ping. */
export const PING_TIMEOUT_MS = 3_000;
/** A ping stops waiting for another server's answer this long after the last one. */
export const PING_STALL_MS = 300;
/** Timeout for all servers' JetStream state. */
export const JETSTREAM_STATE_TIMEOUT_MS = 2_000;
/** Timeout for all servers' streams and consumers, of which there may be many. */
export const STREAMS_TIMEOUT_MS = 10_000;
/** Stop waiting for another server's streams this long after the last answer. */
export const STREAMS_STALL_MS = 5_000;
/** Timeout for a page of one server's connections. For a page, the server verifies the JWT of each connection. */
export const CONNECTIONS_PAGE_TIMEOUT_MS = 10_000;
/** Timeout for a page of up to all connections of a server, over a connection of its own. */
export const LARGE_PAGE_TIMEOUT_MS = 60_000;
/** Timeout for all servers' configuration. */
export const SERVER_STATE_TIMEOUT_MS = 3_000;
/** Stop waiting for another server's configuration this long after the last answer. */
export const SERVER_STATE_STALL_MS = 1_000;
/** Timeout for the account JWT that each server holds. */
export const HELD_ACCOUNT_TIMEOUT_MS = 2_000;
/** Stop waiting for another server's account JWT this long after the last answer. */
export const HELD_ACCOUNT_STALL_MS = 500;
/** Timeout for JetStream to elect a leader; until then, no server knows the names of the lost ones. */
export const ELECTION_TIMEOUT_MS = 12_000;
/** How often JetStream's meta group is polled. */
export const META_GROUP_POLL_MS = 200;
/** Doctor reports a running server that is missing from JetStream after this time; it may have just started. */
export const JETSTREAM_JOIN_GRACE_MS = 10_000;
/** Timeout for dialing a server's address to check that it is reachable. */
export const DIAL_PROBE_TIMEOUT_MS = 1_500;
/** Timeout for a server to confirm that it closed a connection. */
export const KICK_TIMEOUT_MS = 2_000;
/** Timeout for every server to confirm a pushed account JWT. First it verifies the JWT of each of its connections. */
export const PUSH_TIMEOUT_MS = 10_000;
/** The next account JWT waits this long, at most, until every server has applied the last one. */
export const PUSH_SETTLE_MS = 30_000;
/** After this time, a server that has not confirmed a push is asked whether it enforces the revocations already. */
export const PUSH_CHECK_AFTER_MS = 300;
/** How often it is asked. */
export const PUSH_CHECK_INTERVAL_MS = 200;
/** How long one list of connections pauses, in all, while revocations are pushed. */
export const READING_MAX_YIELD_MS = 3_000;
/** How often a master checks that it is connected to each server. */
export const DIRECT_INTERVAL_MS = 5_000;
/** The first pause before one that was lost is opened again: the server may restart. */
export const DIRECT_REOPEN_MS = 100;
/** How long a list of all connections waits for these connections. */
export const DIRECT_OPEN_WAIT_MS = 1_000;
/** The longest pause before it tries an unreachable server again. */
export const DIRECT_RETRY_MAX_MS = 60_000;
/** Timeout for a connection to one server, which may have thousands of others to accept first. */
export const DIRECT_CONNECT_TIMEOUT_MS = 20_000;
/** Timeout for a server to close the connections of revoked keys. */
export const CLOSE_TIMEOUT_MS = 3_000;
/** How often the connections of revoked keys are polled. */
export const CLOSE_POLL_MS = 50;
/** How often the servers of a cluster compare their account JWTs. */
export const RESOLVER_INTERVAL_SECONDS = 5;
/**
 * Timeout for a client to authenticate. When thousands of peels reconnect, a server gets to the last ones late; if it
 * dropped them, they would reconnect and add to the load. Longer than a client waits ({@link DIAL_TIMEOUT_MS}).
 */
export const SERVER_AUTHORIZATION_TIMEOUT_SECONDS = 10;
/** The same for the TLS handshake. */
export const SERVER_TLS_TIMEOUT_SECONDS = 10;
/** How often a server pings its clients; it notices a host without power after three pings. */
export const SERVER_PING_INTERVAL_SECONDS = 30;
/** Timeout for a change of a stream, on which a cluster agrees first. */
export const STREAM_CHANGE_TIMEOUT_MS = 10_000;
/** How long `zester permissions migrate` waits for masters to switch to their new credentials. */
export const CREDENTIAL_CHANGE_TIMEOUT_MS = 20_000;
/** How often it checks for users of old credentials. */
export const CREDENTIAL_CHANGE_POLL_MS = 300;

// --- A nats-server that Zester runs ---

/** Timeout for a program to print its version. */
export const VERSION_TIMEOUT_MS = 5_000;
/** Timeout for a server to accept clients. */
export const SERVER_READY_TIMEOUT_MS = 20_000;
/** How often that is polled. */
export const SERVER_READY_POLL_MS = 5;
/** A server that does not stop within this time is killed. */
export const SERVER_STOP_TIMEOUT_MS = 10_000;
/** The first backoff before an ended server is restarted; it doubles each time. */
export const FIRST_RESTART_DELAY_MS = 500;
/** The maximum of that backoff. */
export const MAX_RESTART_DELAY_MS = 30_000;
/** How often a full disk is checked for free space. */
export const DISK_ROOM_INTERVAL_MS = 2_000;
/** A server that has run this long is stable: the backoff starts over. */
export const STABLE_SERVER_MS = 60_000;

// --- JetStream ---

/** Timeout for one answer of JetStream. */
export const JETSTREAM_TIMEOUT_MS = 5_000;
/** Timeout for opening the store when a master starts: a starting cluster elects its leaders first. */
export const STORE_OPEN_TIMEOUT_MS = 60_000;
/** The pause between two attempts to open the store or to watch a bucket. */
export const STORE_RETRY_MS = 500;
/** How often a master that waits for JetStream looks for the reason. */
export const STORE_REASON_INTERVAL_MS = 5_000;
/** Timeout for a command that reads all records of a bucket. */
export const BUCKET_READ_TIMEOUT_MS = 30_000;
/** Timeout for a starting master that reads all records of a bucket. */
export const MIRROR_OPEN_TIMEOUT_MS = 60_000;
/** The read of a bucket restarts after this long without a record. */
export const MIRROR_SILENCE_MS = 5_000;
/** How often a master checks that its watch of a bucket is alive. */
export const MIRROR_CHECK_INTERVAL_MS = 5_000;
/** The maximum pause before an ended watch of a bucket restarts. */
export const MIRROR_MAX_RESTART_MS = 8_000;
/** How long a read or write of a bucket is retried while the stream elects a leader or the connection is down. */
export const STORE_RETRIES_TIMEOUT_MS = 20_000;
/** The first backoff of these retries; it doubles each time. */
export const MIRROR_FIRST_RETRY_MS = 50;
/** The maximum of that backoff. */
export const MIRROR_MAX_RETRY_MS = 1_000;
/** The maximum random backoff after a write conflict with another master; see {@link CONFLICT_FIRST_PAUSE_MS}. */
export const CONFLICT_MAX_PAUSE_MS = 200;
/** The maximum random backoff after the first conflict; it doubles with each one. */
export const CONFLICT_FIRST_PAUSE_MS = 5;
/** How long the read of a stream may stall. */
export const STREAM_SILENCE_MS = 10_000;
/** How often it is checked for a stall. */
export const STREAM_SILENCE_POLL_MS = 1_000;
/** The idle heartbeat of a stream that is being read. */
export const STREAM_HEARTBEAT_MS = 5_000;

// --- The lease of the master that watches ---

/** How often the holder renews the lease. */
export const LEASE_RENEW_INTERVAL_MS = 1_000;
/** Timeout of one renewal. */
export const LEASE_WRITE_TIMEOUT_MS = 2_000;
/** A holder that could not renew for this long gives the lease up, even if no other master holds it. */
export const LEASE_GIVE_UP_MS = 60_000;
/** A holder that has been silent for this long has lost the lease. */
export const LEASE_LAPSE_MS = 5_000;
/** A holder that has been silent for this long has lost the lease if its connection has ended. */
export const LEASE_QUIET_MS = 1_500;
/** How long to wait for a server that says whether a connection is open. */
export const CONNECTION_OPEN_TIMEOUT_MS = 1_000;
/** How often a starting master checks whether the current holder renews the lease. */
export const LEASE_JOIN_POLL_MS = 200;

// --- Watching connections ---

/** How often the servers are checked: a killed one sends no event. */
export const SERVERS_INTERVAL_MS = 3_000;
/** That check waits this long for another server after each answer: an overloaded server takes a second. */
export const SERVERS_STALL_MS = 1_500;
/** The connections of a server that stopped responding are remembered this long: it may just be overloaded. */
export const SILENT_SERVER_KEPT_MS = 300_000;
/** How often all connections are read again, in case an event was lost; less often where that takes long. */
export const CONNECTIONS_INTERVAL_MS = 30_000;
/** The pause before a failed read from JetStream or the servers is retried. */
export const WATCH_RETRY_MS = 500;
/** How often retiring keys and held revocations are checked. */
export const WATCH_TICK_MS = 500;
/** How long a replaced key may stay connected while its connection drains. */
export const RETIRE_MS = 30_000;
/** How often, at most, it is audited that a peel has too many connections. */
export const SURPLUS_AUDIT_INTERVAL_MS = 60_000;
/** How often the servers' versions and storage are checked: a new server may be too old, and storage fills up. */
export const VERSIONS_INTERVAL_MS = 10_000;
/** Timeout for the servers to say where a join token is used; a decision does not wait longer. */
export const PEEL_ADDRESSES_TIMEOUT_MS = 1_000;
/** Presence changes within this time are sent to the other masters in one message. */
export const PRESENCE_GATHER_MS = 100;
/** How often the watching master announces its last change: a master that missed one asks for all. */
export const PRESENCE_HEARTBEAT_MS = 2_000;
/** A master that receives nothing from the watching master for this long reads the connections from the servers. */
export const PRESENCE_SILENCE_MS = 10_000;
/** Timeout for a part of the presence that the watching master sends. */
export const PRESENCE_PART_TIMEOUT_MS = 5_000;
/** The first backoff after a failed read or write of presence; it doubles each time. */
export const PRESENCE_FIRST_RETRY_MS = 500;
/** The maximum of that backoff. */
export const PRESENCE_MAX_RETRY_MS = 30_000;
/** How long "last seen" times are gathered, to store many peels in one write. */
export const LAST_SEEN_GATHER_MS = 2_000;
/** The pause between two of these writes, so that their rate does not depend on the size of the fleet. */
export const LAST_SEEN_WRITE_INTERVAL_MS = 250;
/** Timeout for the remaining ones when a master stops. */
export const LAST_SEEN_CLOSE_TIMEOUT_MS = 2_000;
/** The pause between batches of connections that are reread after lost events. */
export const RECHECK_INTERVAL_MS = 250;
/** The maximum of that pause while a server does not answer. */
export const RECHECK_MAX_RETRY_MS = 30_000;
/** The maximum time that rereading yields to a storm of connections. */
export const RECHECK_MAX_DELAY_MS = 60_000;
/** Connections are judged for this long before the event loop reads the sockets again. */
export const JUDGE_TURN_MS = 5;
/** The first backoff before a connection is judged again that JetStream errors left unjudged; it doubles each time. */
export const JUDGE_FIRST_RETRY_MS = 1_000;
/** The maximum of that backoff. */
export const JUDGE_MAX_RETRY_MS = 30_000;
/** Connections that have waited this long to be judged are logged; the interval of that log. */
export const JUDGE_LATE_MS = 5_000;
export const JUDGE_LATE_LOG_INTERVAL_MS = 30_000;
/**
 * The first backoff before all connections are read again after an event may have been lost; it doubles if that
 * happens again soon.
 */
export const READING_FIRST_PAUSE_MS = 500;
/** The maximum of that backoff. */
export const READING_MAX_PAUSE_MS = 30_000;

// --- Revocations ---

/** Revocations within this time are pushed in one account JWT. */
export const REVOCATION_GATHER_MS = 20;
/** The first pause after a push that not every server confirmed; each further one is twice as long. */
export const REVOCATION_FIRST_RETRY_MS = 500;
/** The longest of these pauses. */
export const REVOCATION_RETRY_MS = 3_000;
/** How often that pause checks whether the master has stopped. */
export const REVOCATION_RETRY_POLL_MS = 100;
/**
 * How long an answer waits for every server's confirmation; the caller waits longer ({@link
 * ASK_CONFIRMED_TIMEOUT_MS}).
 */
export const CONFIRM_TIMEOUT_MS = 8_000;
/** Timeout for the audit to say why they have not confirmed: with a server down, it may not answer at all. */
export const CONFIRM_REASON_TIMEOUT_MS = 3_000;
/** The default window in which the circuit breaker counts revocations. */
export const BREAKER_WINDOW_MS = 60_000;
/** Refusals within this time are decided together: a fault refuses many connections at once. */
export const HELD_GATHER_MS = 2_000;
/** How often held revocations are judged again, and the store is checked for an admin's resume. */
export const HELD_INTERVAL_MS = 2_000;
/**
 * How often the open state of the breaker is stored again: it expires in the store after {@link
 * CHALLENGE_LIFETIME_MS}.
 */
export const BREAKER_WRITE_INTERVAL_MS = 60_000;
/** Timeout for reading from the store whether an admin resumed. */
export const BREAKER_READ_TIMEOUT_MS = 5_000;

// --- Answering requests ---

/** The keys that a peel made within this time are counted, for its limit. */
export const KEYS_COUNTED_MS = 86_400_000;
/** The default timeout of a policy function. */
export const POLICY_TIMEOUT_MS = 5_000;
/** Its maximum: a joining host waits this long for an answer ({@link JOIN_ANSWER_TIMEOUT_MS}). */
export const POLICY_MAX_TIMEOUT_MS = 8_000;
/** A request that has waited this long is dropped: the caller has given up ({@link ASK_TIMEOUT_MS}). */
export const REQUEST_STALE_MS = 9_000;
/** Requests are answered for this long before the event loop reads the sockets again: a server cuts slow consumers. */
export const REQUEST_TURN_MS = 10;
/** How often, at most, a JetStream failure is logged. */
export const STORE_FAILURE_LOG_INTERVAL_MS = 10_000;
/** Timeout for JetStream where a partial answer is possible without it. */
export const QUERY_STORE_TIMEOUT_MS = 4_000;
/** The reconnect delay of the connections that answer requests: peels are waiting. */
export const ANSWER_RECONNECT_MS = 100;
/** The same for the connection that receives floods: until it is back, they arrive on the one for peels. */
export const FLOOD_RECONNECT_MS = 10;
/** Timeout for the servers to register the subscriptions of a starting master. */
export const SUBSCRIBED_TIMEOUT_MS = 2_000;
/**
 * The same report from two connections of a master within this time is logged once. Shorter than the repeat interval
 * of refusals.
 */
export const SAME_LOG_MS = 20_000;
/** The window in which repeated lines of a log are limited: others may cause as many as they like. */
export const LOG_LIMIT_WINDOW_MS = 60_000;
/** The window in which the sources of requests are counted, and the interval of the check for a flood. */
export const FLOOD_WINDOW_MS = 500;
/** The window in which diverted requests are counted. */
export const DIVERSION_WINDOW_MS = 250;
/** How often, at most, a continuing flood is logged. */
export const FLOOD_LOG_INTERVAL_MS = 60_000;
/** The cuts of a join token are forgotten after this long without one. */
export const FLOOD_CUTS_KEPT_MS = 10 * 60_000;

// --- The audit ---

/** How long the master that wrote a record has to publish its event; then any master does. */
export const AUDIT_GRACE_MS = 3_000;
/** The interval between two scans for unpublished events. */
export const AUDIT_SWEEP_INTERVAL_MS = 1_000;
/** The first backoff before an event is published again; it doubles each time. */
export const AUDIT_FIRST_RETRY_MS = 100;
/** The maximum of that backoff. */
export const AUDIT_MAX_RETRY_MS = 2_000;
/** From this backoff on, a master logs that the audit cannot be written; shorter failures are elections. */
export const AUDIT_RETRY_LOG_MS = 1_600;
/** Timeout for storing published events when a master stops. */
export const AUDIT_CLOSE_TIMEOUT_MS = 5_000;
/** Refusals for one reason within this window are counted and audited once. */
export const REFUSAL_AUDIT_WINDOW_MS = 60_000;
/** How long a master waits after its start before it scans for unpublished events. */
export const AUDIT_COMPLETE_AFTER_MS = 5_000;
/** The pause before the end of the audit is read again after a failure. */
export const AUDIT_COMPLETE_RETRY_MS = 2_000;
/** How far back from the end of the audit that scan reads. */
export const AUDIT_LOOKBACK_MS = 60_000;

// --- A master's start and end, health and metrics ---

/**
 * Timeout for a starting master to be healthy, once its parts have started: longer than a dead holder's lease lasts.
 */
export const READY_TIMEOUT_MS = 60_000;
/** How often that is polled. */
export const READY_POLL_MS = 20;
/** How long a stopping master waits for an unreachable server. */
export const STOP_TIMEOUT_MS = 5_000;
/** How often it checks whether its connections are up. */
export const STOP_POLL_MS = 100;
/** Timeout for all its parts together to end, once its connections are closed. */
export const STOP_CUT_MS = 1_000;
/** How often `zester top` reads the fleet's state. */
export const TOP_REFRESH_MS = 2_000;
/** The minimum interval between two redraws of `zester top`. */
export const TOP_DRAW_MS = 250;
/** The window of the renewal rate in `zester top`. */
export const TOP_RENEWALS_WINDOW_MS = 60_000;
/** How often the watching master reads the servers' JetStream storage. */
export const STORAGE_METRICS_INTERVAL_MS = 30_000;
/** How often a master checks whether it has begun to watch, for the metrics of the storage. */
export const STORAGE_WATCH_POLL_MS = 2_000;
/** Timeout for the head and the body of a request to /metrics or /healthz. */
export const HTTP_REQUEST_TIMEOUT_MS = 5_000;
/** For a client to read an answer of the HTTP interface: until then it is held in memory. */
export const HTTP_ANSWER_TIMEOUT_MS = 60_000;
/** How often requests are checked against that timeout. */
export const HTTP_CHECK_INTERVAL_MS = 1_000;
/** The lifetime of the link that opens the page of `zester ui`, and of the session that it starts. */
export const UI_LINK_LIFETIME_MS = 10 * 60_000;
export const UI_SESSION_LIFETIME_MS = 12 * 3_600_000;
/** The minimum interval between two updates of peels to the pages. */
export const UI_PUSH_INTERVAL_MS = 250;
/** How often an idle event stream sends a comment: proxies cut silent connections. */
export const UI_HEARTBEAT_INTERVAL_MS = 15_000;
/** The page's copy of the registry follows the audit log from this long before it was read: clocks differ. */
export const UI_OVERLAP_MS = 10 * 60_000;
/** An admin's presence watch ends after this time; changes are gathered for the second one. */
export const PRESENCE_WATCH_LEASE_MS = 30_000;
export const PRESENCE_WATCH_GATHER_MS = 250;
/** How often an idle watch sends an empty part; after the second time without a part, its master is gone. */
export const PRESENCE_WATCH_HEARTBEAT_MS = 4_000;
export const PRESENCE_WATCH_SILENCE_MS = 12_000;
/** The next watch begins this long after the previous one. */
export const PRESENCE_WATCH_HANDOVER_MS = 20_000;
/** The file that sends a browser to the page is deleted after this time. */
export const OPEN_FILE_KEPT_MS = 60_000;
/** Timeout for the masters to report themselves. */
export const UI_MASTERS_WAIT_MS = 1_000;
/** The interval between two points of the charts. */
export const UI_SAMPLE_INTERVAL_MS = 10_000;
/** A master is unhealthy if its JetStream takes longer to answer. */
export const HEALTH_STORE_TIMEOUT_MS = 2_000;
/** How often a master compares the servers' account JWT with its home's, in case it missed a push. */
export const ACCOUNT_COMPARE_INTERVAL_MS = 5_000;
/** How long after a push a master waits until the servers have applied it. */
export const ACCOUNT_SETTLE_MS = 100;

// --- Commands that follow a fleet ---

/** How often the peels that depend on a signing key are polled before the key is removed. */
export const DEPENDENTS_POLL_MS = 2_000;
/** How long the masters of a home take to notice a new signing key: longer than {@link HOME_RELOAD_INTERVAL_MS}. */
export const KEY_SWITCH_WAIT_MS = 1_500;

/** How often `--wait` polls rotating peels, in case it missed an event. */
export const ROTATION_POLL_MS = 2_000;
/** How long a rotation tolerates that no master answers. */
export const ROTATION_MASTER_TIMEOUT_MS = 20_000;
/** Timeout for the revocation of a replaced key: longer than the key drains ({@link RETIRE_MS}). */
export const REPLACED_REVOKED_TIMEOUT_MS = 45_000;
/** How often that is polled. */
export const REPLACED_REVOKED_POLL_MS = 1_000;
/** Timeout for the watching master to revoke what was held. */
export const RESUME_TIMEOUT_MS = 30_000;
/** How often that is polled. */
export const RESUME_POLL_MS = 300;
/** A mismatch in a running fleet is checked again after this time: an event may be in flight. */
export const INTEGRITY_RECHECK_MS = 4_000;
/** How often `audit --follow` reads the stream even without a notification: one may be lost. */
export const FOLLOW_INTERVAL_MS = 10_000;
/** A published event can be read only once it is stored: the pause before it is read again, longer each time. */
export const FOLLOW_STORED_RETRY_MS = 100;
/** The pauses between attempts while no master answers. */
export const FOLLOW_RETRY_MS = [250, 500, 1_000, 2_000, 5_000] as const;
/** After the stream was lost, `audit --follow` continues this long before the last printed event. */
export const FOLLOW_OVERLAP_MS = 60_000;
/** Timeout for the final read after the signal to stop. */
export const FOLLOW_LAST_TIMEOUT_MS = 1_000;
/** Timeout of a step of the demo, which allows for a busy machine. */
export const DEMO_TIMEOUT_MS = 10_000;

// --- Connections ---

/**
 * The pause between two reconnect attempts: the default of NATS clients. For peels, the window of the first attempt.
 */
export const RECONNECT_WAIT_MS = 2_000;
/** The maximum pause of a peel between two attempts, unless its window is longer. */
export const RECONNECT_MAX_WAIT_MS = 30_000;
/** The maximum jitter of that pause: thousands of peels must not reconnect at the same instant. */
export const RECONNECT_JITTER_MS = 100;
/** The same over TLS, where a connection costs the server more. */
export const RECONNECT_JITTER_TLS_MS = 1_000;
/** Timeout for dialing a server. */
export const DIAL_TIMEOUT_MS = 5_000;
/** The default timeout of a drain, or of a handover to a new connection. */
export const DRAIN_TIMEOUT_MS = 5_000;
/** Timeout for a server to receive the subscriptions and messages of a handover. */
export const FLUSH_TIMEOUT_MS = 1_000;
/** How long a connection holds what it sends, while microtasks follow one another, so that one system call writes it. */
export const MAX_WRITE_HOLD_MS = 5;
/** How often a credentials file is polled. */
export const CREDENTIAL_POLL_MS = 250;
/** Timeout for a credential provider to load or store credentials. */
export const CREDENTIAL_PROVIDER_TIMEOUT_MS = 10_000;
/** The default interval between two loads of a credential provider. */
export const CREDENTIAL_PROVIDER_REFRESH_MS = 30_000;
/** The minimum interval between two loads that reconnects trigger. */
export const CREDENTIAL_PROVIDER_SPACING_MS = 5_000;
/** The intervals between reports of one continuing refusal; the last one repeats. */
export const REFUSAL_REPORT_MS = [30_000, 60_000, 120_000, 300_000, 600_000] as const;

// --- Peels ---

/** A peel reports that its clock is off by more than this. */
export const PEEL_CLOCK_WARNING_MS = 30_000;
/** How far off a peel's clock may be until a master has confirmed it. */
export const PEEL_CLOCK_DOUBT_MS = 10 * 60_000;
/** A peel ignores notices older than this: they may be replays. */
export const NOTICE_MAX_AGE_MS = 5 * 60_000;
/** Timeout of a command handler. */
export const HANDLER_TIMEOUT_MS = 240_000;
/** How long a handover waits for handlers: longer than one may take ({@link HANDLER_TIMEOUT_MS}). */
export const HANDOVER_TIMEOUT_MS = 270_000;
/** Timeout for an ended peel to report why. */
export const LAST_WORDS_TIMEOUT_MS = 1_000;
/** The pause before a peel that the server refused at its start tries again. */
export const START_REFUSED_RETRY_MS = 15_000;
/** The bounds of the backoff after a failed renewal: a hundredth of the lifetime at first, longer each time. */
export const RENEWAL_MIN_RETRY_MS = 100;
export const RENEWAL_MAX_FIRST_RETRY_MS = 5_000;
export const RENEWAL_MAX_RETRY_MS = 5 * 60_000;
/** The maximum of that backoff once the credential has expired. */
export const RENEWAL_EXPIRED_MAX_RETRY_MS = 30_000;
/** The bounds of the timeout for the answer to a renewal: a third of the remaining lifetime. */
export const RENEWAL_MIN_TIMEOUT_MS = 1_000;
export const RENEWAL_MAX_TIMEOUT_MS = 10_000;
/** After an outage, overdue renewals are spread over this time, or less if little lifetime is left. */
export const RENEWAL_SPREAD_MS = 30_000;
/** An idle peel checks the time at least this often: the clock may have been set, or the host suspended. */
export const RENEWAL_MAX_WAIT_MS = 60_000;
/** The maximum pause between two renewals. */
export const RENEWAL_MAX_PAUSE_MS = 60_000;
/** The first backoff before a failed write of a credential is retried; it doubles each time. */
export const CREDENTIAL_FIRST_WRITE_RETRY_MS = 250;
/** The maximum of that backoff. */
export const CREDENTIAL_MAX_WRITE_RETRY_MS = 30_000;
/** The default timeout of a joining host to be accepted. */
export const JOIN_TIMEOUT_MS = 10 * 60_000;
/** Timeout for the answer to a join request. */
export const JOIN_ANSWER_TIMEOUT_MS = 10_000;
/** The first pause before a host asks again whether it is accepted; it grows by half each time. */
export const JOIN_FIRST_RETRY_MS = 500;
/** The maximum of that pause. */
export const JOIN_MAX_RETRY_MS = 5_000;

// --- zester/testing ---

/** How often state without events is polled, at first. */
export const TEST_POLL_MS = 25;
/** The maximum interval of these polls, in a long wait. */
export const TEST_MAX_POLL_MS = 250;
/** The default timeout of a test that waits. */
export const TEST_WAIT_TIMEOUT_MS = 15_000;
/** Timeout for the servers of a cluster to form and to elect a JetStream leader. */
export const TEST_CLUSTER_TIMEOUT_MS = 30_000;
/** A server that stays outside JetStream's meta group is restarted after this time. */
export const TEST_JETSTREAM_GRACE_MS = 10_000;
/**
 * The lifetime of a test fleet's own credentials: a test may move its clock by years, which its servers do not
 * follow.
 */
export const TEST_CREDENTIALS_LIFETIME_SECONDS = 100 * 365 * 86_400;
/** The reconnect delay of a test's connections: a test has many outages. */
export const TEST_RECONNECT_MS = 100;
