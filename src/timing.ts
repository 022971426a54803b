// Every wait, deadline, interval, backoff and retention time, in one place.
// The suffix of a name is its unit. Limits of a format and user settings are not here, but where they belong.

// --- Credentials and clocks ---

/** The default lifetime of a home's own credentials, in seconds: 90 days. */
export const OWN_CREDENTIALS_LIFETIME_SECONDS = 90 * 86_400;
/** How often a master checks its own credentials: every hour, and again soon after a failed renewal. */
export const OWN_CREDENTIALS_INTERVAL_MS = 3_600_000;
export const OWN_CREDENTIALS_RETRY_MS = 60_000;
export const OWN_CREDENTIALS_MIN_WAIT_MS = 250;
/** How long a renewal waits for another command that holds the home's lock: it may be renewing them. */
export const OWN_CREDENTIALS_LOCK_WAIT_MS = 2_000;

/** An expiry that is closer than a week is a warning. */
export const EXPIRY_WARNING_MS = 7 * 86_400_000;
/**
 * How far apart the clocks of signers and revokers may be. A JWT that claims to be issued later than this
 * after its connection began is refused, unless the registry knows it.
 */
export const CLOCK_ALLOWANCE_SECONDS = 120;
/** Doctor warns of a server's clock that is off by more: JWTs that begin or end now are judged differently there. */
export const SERVER_CLOCK_WARNING_MS = 2_000;
/** Doctor calls it an error from here on: new JWTs may be refused as not yet valid, and expired ones accepted. */
export const SERVER_CLOCK_ERROR_MS = 60_000;
/** A master logs that its own clock differs from a server's by more. */
export const MASTER_CLOCK_WARNING_MS = 30_000;
/** How long the user lives that changes the fleet's streams: it is signed for one run. */
export const STREAM_GUARD_LIFETIME_SECONDS = 120;

// --- Recovery after expiry ---

/** A recovery credential outlives the peel's by this, or by the policy's time if that is longer: the policy may be changed later. */
export const RECOVERY_CREDENTIAL_SECONDS = 400 * 86_400;
/** Recoveries of a peel within this time are limited. */
export const RECOVERY_LIMIT_WINDOW_SECONDS = 30 * 86_400;
/** Before an expired peel asks to come back again; twice as long each time. */
export const RECOVERY_FIRST_RETRY_MS = 1_000;
/** The longest of these: an outage of all masters is over this much later. */
export const RECOVERY_MAX_RETRY_MS = 20_000;
/** The longest of these when a master says that the credential is valid, or when an admin has to decide. */
export const RECOVERY_MAX_IDLE_RETRY_MS = 60_000;
/** A running peel takes its credential for expired from so much before its expiry on: a server's clock may be ahead. */
export const RECOVERY_CLOCK_DOUBT_MS = 30_000;
/** For the answer to a request to come back. */
export const RECOVERY_ANSWER_TIMEOUT_MS = 10_000;
/** How long "zester peel recover" and recoverCredentials() try, where the options do not say. */
export const RECOVERY_TIMEOUT_MS = 2 * 60_000;

// --- How long things are kept ---

/** A revocation stays in the account JWT so long after the last JWT of its key expired. */
export const REVOCATION_KEPT_AFTER_EXPIRY_SECONDS = 600;
/** A revoked key stays in its record after its last JWT expired, so that its revocation can be cleared first. */
export const REVOKED_KEY_KEPT_SECONDS = 3_600;
/** The account JWT remembers for so long that something was removed from it: another machine's copy may be that old. */
export const REMOVAL_KEPT_SECONDS = 400 * 86_400;
/** The audit log of a new fleet keeps an event for so long; "zester audit retention" changes it. */
export const AUDIT_RETENTION_MS = 400 * 86_400_000;
/** Masters and doctor warn so long before the audit log deletes its oldest events, or a tenth of its retention before. */
export const AUDIT_NOTICE_MS = 30 * 86_400_000;
/** The shortest retention: an admin must see what happened since yesterday. */
export const SHORTEST_AUDIT_RETENTION_MS = 86_400_000;
/** Between two looks of a master at what the audit log has deleted. */
export const AUDIT_RETENTION_INTERVAL_MS = 3_600_000;
/** That it is about to delete events is logged so often. */
export const AUDIT_NOTICE_INTERVAL_MS = 86_400_000;
/** A join token that expired or was removed is still listed. */
export const ENDED_TOKEN_KEPT_MS = 7 * 86_400_000;
/** How long a challenge may be answered. */
export const CHALLENGE_LIFETIME_MS = 5 * 60_000;
/**
 * How far the time of an admin's request may be from the master's clock. What is written down about requests lives longer
 * than both sides of this together ({@link CHALLENGE_LIFETIME_MS}).
 */
export const ADMIN_REQUEST_WINDOW_MS = 60_000;
/** The stream of the audit deduplicates an event that is published again within this window. */
export const AUDIT_DEDUPLICATION_MS = 10 * 60_000;
/** How long a master remembers an audited event, so as not to publish it for another master. */
export const AUDIT_SEEN_KEPT_MS = 60_000;
/** A consumer of a master that is idle for longer is none of ours: doctor names it. */
export const MASTER_CONSUMER_IDLE_MS = 10 * 60_000;

// --- Files and the home ---

/** A pipe that the shell opened must give all of it within this time. */
export const PIPE_READ_TIMEOUT_MS = 30_000;
/** Between two reads of a pipe that has nothing yet. */
export const PIPE_POLL_MS = 5;
/** The longest random pause of two processes that claimed a directory at the same instant. */
export const CLAIM_RETRY_MAX_MS = 50;
/** A directory is searched for stale temporary files at most so often. */
export const TEMPORARY_SWEEP_INTERVAL_MS = 3_600_000;
/** A temporary file of another host is stale: its writer cannot be asked whether it lives, and no write takes an hour. */
export const TEMPORARY_MAX_AGE_MS = 3_600_000;
/** How long a command waits for another one that changes the same home. */
export const HOME_LOCK_TIMEOUT_MS = 10_000;
/** Between two looks at the lock of the home. */
export const HOME_LOCK_POLL_MS = 25;
/** A master looks so often whether a command changed its home. */
export const HOME_RELOAD_INTERVAL_MS = 1_000;

// --- Bulk ---

/** Batches of files that come within this time are synced to disk together. */
export const SYNC_GATHER_MS = 60;
/** Before a program that failed is run again; twice as long each time. */
export const PROGRAM_RETRY_MS = 1_000;
/** How long a program may take for one credential, where `--timeout` does not say. */
export const PROGRAM_TIMEOUT_SECONDS = 60;
/** Between two updates of a progress bar on a terminal. */
export const PROGRESS_TERMINAL_MS = 100;
/** Between two lines of progress in a log. */
export const PROGRESS_LOG_MS = 10_000;

// --- Requests to masters and peels ---

/** For a master's answer. */
export const ASK_TIMEOUT_MS = 10_000;
/**
 * At least, for what a master answers only once every server has confirmed it, or has not for a while: when a server is
 * lost, JetStream elects another leader first, and the master waits for that as well.
 */
export const ASK_CONFIRMED_TIMEOUT_MS = 40_000;
/** Between two parts of an answer in several messages; the audit is read from its stream, which may take its time. */
export const ASK_PART_TIMEOUT_MS = 60_000;
/** A request without an answer is sent again, so long after the first time. */
export const ASK_AGAIN_AT_MS = [2_000, 5_000];
/** Before a request without responders is retried: a master may be about to reconnect. */
export const NO_RESPONDERS_RETRY_MS = 400;
/** For a peel's answer to a command. */
export const COMMAND_TIMEOUT_MS = 10_000;
/** Doctor waits so long for a master. */
export const DOCTOR_MASTER_TIMEOUT_MS = 5_000;
/** `--wait` asks so long at a time whether a master is there. */
export const MASTER_PROBE_TIMEOUT_MS = 2_000;
/** Between two attempts of a command that waits for what is being started. */
export const STARTING_RETRY_MS = 100;

// --- Servers and the system account ---

/** To connect once, as a command does: it fails instead of waiting. */
export const CONNECT_ONCE_TIMEOUT_MS = 3_000;
/** For an admin's or doctor's connection, through which a command then works. */
export const ADMIN_CONNECT_TIMEOUT_MS = 5_000;
/** For one server's answer. */
export const SERVER_REQUEST_TIMEOUT_MS = 3_000;
/** For all servers' answers, by default. */
export const ASK_ALL_TIMEOUT_MS = 5_000;
/** For all servers' answers to a ping. */
export const PING_TIMEOUT_MS = 3_000;
/** Another server's answer to a ping is not waited for longer than this after the last one. */
export const PING_STALL_MS = 300;
/** For all servers' state of JetStream. */
export const JETSTREAM_STATE_TIMEOUT_MS = 2_000;
/** For all servers' streams with their consumers, of which there may be many. */
export const STREAMS_TIMEOUT_MS = 10_000;
/** Another server's streams are not waited for longer than this after the last one's. */
export const STREAMS_STALL_MS = 5_000;
/** For a page of one server's connections. A server verifies the JWT of each of its connections for a page. */
export const CONNECTIONS_PAGE_TIMEOUT_MS = 10_000;
/** For what each server is configured with. */
export const SERVER_STATE_TIMEOUT_MS = 3_000;
/** Another server's state is not waited for longer than this after the last one's. */
export const SERVER_STATE_STALL_MS = 1_000;
/** For the account JWT that each server holds. */
export const HELD_ACCOUNT_TIMEOUT_MS = 2_000;
/** Another server's account JWT is not waited for longer than this after the last one's. */
export const HELD_ACCOUNT_STALL_MS = 500;
/** While JetStream elects a leader, nobody knows the names of the servers that are gone. */
export const ELECTION_TIMEOUT_MS = 12_000;
/** Between two looks at JetStream's meta group. */
export const META_GROUP_POLL_MS = 200;
/** A server that runs may be missing from JetStream for so long before doctor names it: it may have just started. */
export const JETSTREAM_JOIN_PATIENCE_MS = 10_000;
/** To dial a server's address, to see whether it is there. */
export const DIAL_PROBE_TIMEOUT_MS = 1_500;
/** For a server to say that it cut a connection. */
export const KICK_TIMEOUT_MS = 2_000;
/** For every server to say that it took a pushed account JWT. It verifies the JWT of each of its connections before. */
export const PUSH_TIMEOUT_MS = 10_000;
/** For a server to close the connections of revoked keys. */
export const CLOSE_TIMEOUT_MS = 3_000;
/** Between two looks at the connections of revoked keys. */
export const CLOSE_POLL_MS = 50;
/** How often the servers of a cluster compare the account JWTs that they hold. */
export const RESOLVER_INTERVAL_SECONDS = 5;
/**
 * For a client to prove who it is, once it is connected. A server that thousands of peels reconnect to reaches the last of them
 * late; if it dropped that one, it would come again and be one more. Longer than a client waits ({@link DIAL_TIMEOUT_MS}).
 */
export const SERVER_AUTHORIZATION_TIMEOUT_SECONDS = 10;
/** The same for its TLS handshake. */
export const SERVER_TLS_TIMEOUT_SECONDS = 10;
/** Between two pings of a server: a host that lost its power is noticed after three of them. */
export const SERVER_PING_INTERVAL_SECONDS = 30;
/** For a change of a stream: a cluster agrees on it first. */
export const STREAM_CHANGE_TIMEOUT_MS = 10_000;
/** `zester permissions migrate` waits so long for masters to take their new credentials. */
export const CREDENTIAL_CHANGE_TIMEOUT_MS = 20_000;
/** Between two looks at who still uses old credentials. */
export const CREDENTIAL_CHANGE_POLL_MS = 300;

// --- A nats-server that Zester runs ---

/** For a program to say its version. */
export const VERSION_TIMEOUT_MS = 5_000;
/** For a server to take clients. */
export const SERVER_READY_TIMEOUT_MS = 20_000;
/** Between two looks whether it does. */
export const SERVER_READY_POLL_MS = 5;
/** A server that does not stop in this time is killed. */
export const SERVER_STOP_TIMEOUT_MS = 10_000;
/** Before a server that ended is started again; twice as long each time. */
export const FIRST_RESTART_DELAY_MS = 500;
/** The longest of these. */
export const MAX_RESTART_DELAY_MS = 30_000;
/** Between two looks whether a disk that was full has room again. */
export const DISK_ROOM_INTERVAL_MS = 2_000;
/** A server that ran for so long is stable: the delays begin again. */
export const STABLE_SERVER_MS = 60_000;

// --- JetStream ---

/** For one answer of JetStream. */
export const JETSTREAM_TIMEOUT_MS = 5_000;
/** At the start of a master: a cluster that starts elects its leaders first. */
export const STORE_OPEN_TIMEOUT_MS = 60_000;
/** Between two attempts to open the store, or to watch a bucket. */
export const STORE_RETRY_MS = 500;
/** A master that waits for JetStream looks for the reason so often. */
export const STORE_REASON_INTERVAL_MS = 5_000;
/** For all records of a bucket, when a command reads it. */
export const BUCKET_READ_TIMEOUT_MS = 30_000;
/** For all records of a bucket, when a master starts. */
export const MIRROR_OPEN_TIMEOUT_MS = 60_000;
/** A bucket that gives nothing for so long while it is read is read again. */
export const MIRROR_SILENCE_MS = 5_000;
/** A master looks so often whether it still follows a bucket. */
export const MIRROR_CHECK_INTERVAL_MS = 5_000;
/** The longest pause before a bucket is followed again whose watch ended. */
export const MIRROR_MAX_RESTART_MS = 8_000;
/** A read or write of a bucket is retried for so long: a stream elects its leader, or the connection is down. */
export const MIRROR_PATIENCE_MS = 20_000;
/** Before the first of these retries; twice as long each time. */
export const MIRROR_FIRST_RETRY_MS = 50;
/** The longest pause between them. */
export const MIRROR_MAX_RETRY_MS = 1_000;
/** The longest random pause after another master wrote first, doubled from {@link CONFLICT_FIRST_PAUSE_MS}. */
export const CONFLICT_MAX_PAUSE_MS = 200;
/** The longest random pause after the first conflict. */
export const CONFLICT_FIRST_PAUSE_MS = 5;
/** The reading of a stream may stand still for so long. */
export const STREAM_SILENCE_MS = 10_000;
/** Between two looks whether it stands still. */
export const STREAM_SILENCE_POLL_MS = 1_000;
/** The server says so often that a stream which is read has nothing new. */
export const STREAM_HEARTBEAT_MS = 5_000;

// --- The lease of the master that watches ---

/** The holder renews it. */
export const LEASE_RENEW_INTERVAL_MS = 1_000;
/** For one renewal. */
export const LEASE_WRITE_TIMEOUT_MS = 2_000;
/** A holder that could not renew it for this long gives it up, even if nobody else has it. */
export const LEASE_GIVE_UP_MS = 60_000;
/** A holder that has been silent for this long has lost it. */
export const LEASE_LAPSE_MS = 5_000;
/** A master that starts looks so often whether the holder that it found renews it. */
export const LEASE_JOIN_POLL_MS = 200;

// --- Watching connections ---

/** Whether the servers are still there: one that was killed says nothing. */
export const SERVERS_INTERVAL_MS = 3_000;
/** That check waits this long for another server after each answer: an overloaded one takes a second. */
export const SERVERS_STALL_MS = 1_500;
/** The connections of a server that stopped responding are remembered: it may have been overloaded. */
export const SILENT_SERVER_KEPT_MS = 300_000;
/** All connections are read again, in case an event was lost; less often where reading them takes long. */
export const CONNECTIONS_INTERVAL_MS = 30_000;
/** Before what JetStream or the servers did not answer is read again. */
export const WATCH_RETRY_MS = 500;
/** Between two looks at keys that retire and at revocations that are held. */
export const WATCH_TICK_MS = 500;
/** A key that was replaced may stay connected for so long: its connection drains. */
export const RETIRE_MS = 30_000;
/** That one peel has too many connections is audited at most so often. */
export const CROWD_AUDIT_INTERVAL_MS = 60_000;
/** The servers' versions and storage are looked at: one that joins later may be too old, and storage fills up. */
export const VERSIONS_INTERVAL_MS = 10_000;
/** For the servers to say where a join token is used: a decision does not wait for more. */
export const WHEREABOUTS_TIMEOUT_MS = 1_000;
/** Changes of presence that come within this time are sent to the other masters in one message. */
export const PRESENCE_GATHER_MS = 100;
/** The master that watches says so often what the last change was: a master that missed one asks for all. */
export const PRESENCE_HEARTBEAT_MS = 2_000;
/** A master that hears nothing of the one that watches for so long reads the connections from the servers. */
export const PRESENCE_SILENCE_MS = 10_000;
/** For a part of what the master that watches knows. */
export const PRESENCE_PART_TIMEOUT_MS = 5_000;
/** Before presence that could not be read or written is tried again; twice as long each time. */
export const PRESENCE_FIRST_RETRY_MS = 500;
/** The longest of these. */
export const PRESENCE_MAX_RETRY_MS = 30_000;
/** When peels were last seen is stored after so long, many peels in one write. */
export const LAST_SEEN_GATHER_MS = 2_000;
/** Between two of these writes, so that their rate does not depend on the size of the fleet. */
export const LAST_SEEN_WRITE_INTERVAL_MS = 250;
/** For those that are left when a master stops. */
export const LAST_SEEN_CLOSE_TIMEOUT_MS = 2_000;
/** Connections are judged for so long before the sockets are read again. */
export const JUDGE_TURN_MS = 5;
/** Before a connection is judged again that JetStream kept from being judged; twice as long each time. */
export const JUDGE_FIRST_RETRY_MS = 1_000;
/** The longest of these. */
export const JUDGE_MAX_RETRY_MS = 30_000;
/** Connections that have waited for so long to be judged are logged, and then at most so often. */
export const JUDGE_LATE_MS = 5_000;
export const JUDGE_LATE_LOG_INTERVAL_MS = 30_000;
/** Before all connections are read again where an event may have been lost; twice as long each time it happens soon again. */
export const READING_FIRST_PAUSE_MS = 500;
/** The longest of these. */
export const READING_MAX_PAUSE_MS = 30_000;

// --- Revocations ---

/** Revocations that come within this time are pushed in one account JWT. */
export const REVOCATION_GATHER_MS = 20;
/** After a push that not every server confirmed. */
export const REVOCATION_RETRY_MS = 3_000;
/** Between two looks whether the master has stopped meanwhile. */
export const REVOCATION_RETRY_POLL_MS = 100;
/** How long an answer waits for every server's confirmation; the caller waits longer ({@link ASK_CONFIRMED_TIMEOUT_MS}). */
export const CONFIRM_TIMEOUT_MS = 8_000;
/** For the audit to say why they have not: where a server is away, it may not answer at all. */
export const CONFIRM_REASON_TIMEOUT_MS = 3_000;
/** A notice to a peel goes out before its key is revoked; a connection that is down keeps nobody waiting. */
export const NOTICE_FLUSH_TIMEOUT_MS = 1_000;
/** The window in which the breaker counts revocations, where the options do not say. */
export const BREAKER_WINDOW_MS = 60_000;
/** Refusals that come within this time are decided on together: a fault refuses many at once. */
export const HELD_GATHER_MS = 2_000;
/** How often held revocations are judged again, and the store is checked for an admin's resume. */
export const HELD_INTERVAL_MS = 2_000;
/** How often the open state of the breaker is stored again: the store forgets it after {@link CHALLENGE_LIFETIME_MS}. */
export const BREAKER_WRITE_INTERVAL_MS = 60_000;
/** For the store to say whether an admin resumed. */
export const BREAKER_READ_TIMEOUT_MS = 5_000;

// --- Answering requests ---

/** For a policy function to decide, where the options do not say. */
export const POLICY_TIMEOUT_MS = 5_000;
/** The longest that the options may say: a host that joins waits so long for an answer ({@link JOIN_ANSWER_TIMEOUT_MS}). */
export const POLICY_MAX_TIMEOUT_MS = 8_000;
/** A request that waited for so long is not begun: the caller has given up ({@link ASK_TIMEOUT_MS}). */
export const REQUEST_STALE_MS = 9_000;
/** Requests are answered for so long before the sockets are read again: a server cuts who is too far behind. */
export const REQUEST_TURN_MS = 10;
/** A failing JetStream is logged at most so often. */
export const STORE_FAILURE_LOG_INTERVAL_MS = 10_000;
/** For JetStream, where there is something to show without it. */
export const QUERY_STORE_TIMEOUT_MS = 4_000;
/** Between two attempts of the connections that answer to reconnect: peels wait for it. */
export const ANSWER_RECONNECT_MS = 100;
/** The same for the connection that floods arrive on: meanwhile they arrive on the one for peels. */
export const FLOOD_RECONNECT_MS = 10;
/** For the servers to know the subscriptions of a master that starts. */
export const SUBSCRIBED_TIMEOUT_MS = 2_000;
/** What two connections of a master report within this time is logged once. Shorter than the interval of repeated refusals. */
export const SAME_LOG_MS = 20_000;
/** The window in which the sources of requests are counted, and the time between two looks at who sends a flood. */
export const FLOOD_WINDOW_MS = 500;
/** The window in which diverted requests are counted. */
export const DIVERSION_WINDOW_MS = 250;
/** A flood that continues is logged at most so often. */
export const FLOOD_LOG_INTERVAL_MS = 60_000;
/** The cuts of a join token are forgotten after so long without one. */
export const FLOOD_CUTS_KEPT_MS = 10 * 60_000;

// --- The audit ---

/** Who wrote the event that a record holds has this long to publish it; then any master does. */
export const AUDIT_GRACE_MS = 3_000;
/** Between two scans for unpublished events. */
export const AUDIT_SWEEP_INTERVAL_MS = 1_000;
/** Before an event that could not be published is published again; twice as long each time. */
export const AUDIT_FIRST_RETRY_MS = 100;
/** The longest of these. */
export const AUDIT_MAX_RETRY_MS = 2_000;
/** From this pause on it is logged that the audit cannot be written: what passes sooner is an election. */
export const AUDIT_RETRY_LOG_MS = 1_600;
/** For published events to be stored in the audit log, when a master stops. */
export const AUDIT_CLOSE_TIMEOUT_MS = 5_000;
/** Refusals for one reason are counted, and audited once in this window. */
export const REFUSAL_AUDIT_WINDOW_MS = 60_000;
/** After its start, a master waits this long before it scans for unpublished events. */
export const AUDIT_COMPLETE_AFTER_MS = 5_000;
/** Before the end of the audit is read again, where it could not be read. */
export const AUDIT_COMPLETE_RETRY_MS = 2_000;
/** How far before the end of the audit it looks. */
export const AUDIT_LOOKBACK_MS = 60_000;

// --- A master's start and end, health and metrics ---

/** For a master that starts to be healthy, once its parts have started: longer than a dead holder's lease lasts. */
export const READY_TIMEOUT_MS = 60_000;
/** Between two looks whether it is. */
export const READY_POLL_MS = 20;
/** A master that stops waits so long for a server that is not reached. */
export const STOP_TIMEOUT_MS = 5_000;
/** Between two looks whether its connections are up. */
export const STOP_POLL_MS = 100;
/** For its parts to end, all together, once its connections are closed. */
export const STOP_CUT_MS = 1_000;
/** Between two readings of the state that `zester top` shows. */
export const TOP_REFRESH_MS = 2_000;
/** From a change until `zester top` draws it: four times a second at most. */
export const TOP_DRAW_MS = 250;
/** Renewals of so long make the rate that `zester top` shows. */
export const TOP_RENEWALS_WINDOW_MS = 60_000;
/** Between two looks of the watching master at the JetStream storage of the servers. */
export const STORAGE_METRICS_INTERVAL_MS = 30_000;
/** Between two updates of the metrics that count peels. */
export const METRICS_INTERVAL_MS = 2_000;
/** For the head and the body of a request to /metrics or /healthz. */
export const HTTP_REQUEST_TIMEOUT_MS = 5_000;
/** Between two looks at requests that are late. */
export const HTTP_CHECK_INTERVAL_MS = 1_000;
/** For the link that opens the page of `zester ui`, and for the page that it opened. */
export const UI_LINK_LIFETIME_MS = 10 * 60_000;
export const UI_SESSION_LIFETIME_MS = 12 * 3_600_000;
/** Changes of peels are sent to the pages at most so often. */
export const UI_PUSH_INTERVAL_MS = 250;
/** A stream of events without any has a comment so often: proxies cut silent connections. */
export const UI_HEARTBEAT_INTERVAL_MS = 15_000;
/** The page's copy of the registry follows the audit log from so long before it was read: clocks differ. */
export const UI_OVERLAP_MS = 10 * 60_000;
/** An admin's watch of who is connected ends after this, and changes are gathered for so long. */
export const PRESENCE_WATCH_LEASE_MS = 30_000;
export const PRESENCE_WATCH_GATHER_MS = 250;
/** A watch without changes has an empty part so often; without a part for longer, its master is gone. */
export const PRESENCE_WATCH_HEARTBEAT_MS = 4_000;
export const PRESENCE_WATCH_SILENCE_MS = 12_000;
/** The next watch begins this long after one has. */
export const PRESENCE_WATCH_HANDOVER_MS = 20_000;
/** The file that leads a browser to the page is removed after this. */
export const OPEN_FILE_KEPT_MS = 60_000;
/** For masters to answer who is there. */
export const UI_MASTERS_WAIT_MS = 1_000;
/** Between two points of the charts. */
export const UI_SAMPLE_INTERVAL_MS = 10_000;
/** A master whose JetStream answers later is not healthy. */
export const HEALTH_STORE_TIMEOUT_MS = 2_000;
/** A master compares the servers' account JWT with its home's, in case a push was not heard. */
export const ACCOUNT_COMPARE_INTERVAL_MS = 5_000;
/** After a push was heard, until the servers have it. */
export const ACCOUNT_SETTLE_MS = 100;

// --- Commands that follow a fleet ---

/** Between two looks at the peels that depend on a signing key that is to be removed. */
export const DEPENDENTS_POLL_MS = 2_000;
/** For the masters of a home to read that another key signs: longer than {@link HOME_RELOAD_INTERVAL_MS}. */
export const KEY_SWITCH_WAIT_MS = 1_500;

/** `--wait` looks at peels that rotate, in case an event did not come. */
export const ROTATION_POLL_MS = 2_000;
/** A master may be away for so long meanwhile. */
export const ROTATION_MASTER_PATIENCE_MS = 20_000;
/** For a replaced key to be revoked: longer than it drains ({@link RETIRE_MS}). */
export const REPLACED_REVOKED_TIMEOUT_MS = 45_000;
/** Between two looks whether it is. */
export const REPLACED_REVOKED_POLL_MS = 1_000;
/** For the master that watches to revoke what was held. */
export const RESUME_TIMEOUT_MS = 30_000;
/** Between two looks whether it has. */
export const RESUME_POLL_MS = 300;
/** What does not match in a living fleet is looked at again: an event may be on its way. */
export const INTEGRITY_RECHECK_MS = 4_000;
/** `audit --follow` reads the stream although nothing was heard: what was published may go unheard. */
export const FOLLOW_INTERVAL_MS = 10_000;
/** An event is heard when it is published, and can be read when it is stored; once longer with each attempt. */
export const FOLLOW_STORED_RETRY_MS = 100;
/** Between attempts while no master answers. */
export const FOLLOW_RETRY_MS = [250, 500, 1_000, 2_000, 5_000] as const;
/** `audit --follow` begins so long before the last event that it printed, after the stream was lost. */
export const FOLLOW_OVERLAP_MS = 60_000;
/** For the last reading, once the signal is given. */
export const FOLLOW_LAST_TIMEOUT_MS = 1_000;
/** A step of the demo waits so long for what must come at once: a busy machine, not a slow protocol. */
export const DEMO_TIMEOUT_MS = 10_000;

// --- Connections ---

/** Between two attempts to reconnect: the default of NATS clients. Of peels, the window of the first attempt. */
export const RECONNECT_WAIT_MS = 2_000;
/** The longest wait of a peel between two attempts, unless its window is longer. */
export const RECONNECT_MAX_WAIT_MS = 30_000;
/** The longest random part of that pause: thousands of peels do not reconnect at the same instant. */
export const RECONNECT_JITTER_MS = 100;
/** The same over TLS, where each connection costs a server more. */
export const RECONNECT_JITTER_TLS_MS = 1_000;
/** To dial a server. */
export const DIAL_TIMEOUT_MS = 5_000;
/** A drain, or a handover to a new connection, waits so long where the options do not say. */
export const DRAIN_TIMEOUT_MS = 5_000;
/** For a server to have the subscriptions and messages of a handover. */
export const FLUSH_TIMEOUT_MS = 1_000;
/** Between two looks at a credentials file. */
export const CREDENTIAL_POLL_MS = 250;
/** A credential provider may take so long to load or to store credentials. */
export const CREDENTIAL_PROVIDER_TIMEOUT_MS = 10_000;
/** Between two loads of a credential provider, where it does not say. */
export const CREDENTIAL_PROVIDER_REFRESH_MS = 30_000;
/** At least, between two loads that a connect asks for. */
export const CREDENTIAL_PROVIDER_SPACING_MS = 5_000;
/** Between two reports of one refusal that continues: longer each time, and no longer than the last. */
export const REFUSAL_REPORT_MS = [30_000, 60_000, 120_000, 300_000, 600_000] as const;

// --- Peels ---

/** A peel tells that its clock is off by more. */
export const PEEL_CLOCK_WARNING_MS = 30_000;
/** How far a peel's clock may be off before a master has confirmed it. */
export const PEEL_CLOCK_DOUBT_MS = 10 * 60_000;
/** A peel ignores notices older than this: they may be replayed. */
export const NOTICE_MAX_AGE_MS = 5 * 60_000;
/** For a handler of a command. */
export const HANDLER_TIMEOUT_MS = 240_000;
/** A handover waits for handlers: longer than one may take ({@link HANDLER_TIMEOUT_MS}). */
export const HANDOVER_TIMEOUT_MS = 270_000;
/** For an ended peel to say why. */
export const LAST_WORDS_TIMEOUT_MS = 1_000;
/** Before a peel that the server refused at its start tries again. */
export const START_REFUSED_RETRY_MS = 15_000;
/** The bounds of the pause after a renewal that failed: a hundredth of the lifetime at first, longer each time. */
export const RENEWAL_MIN_RETRY_MS = 100;
export const RENEWAL_MAX_FIRST_RETRY_MS = 5_000;
export const RENEWAL_MAX_RETRY_MS = 5 * 60_000;
/** The longest of these pauses once the credential has expired. */
export const RENEWAL_EXPIRED_MAX_RETRY_MS = 30_000;
/** The bounds of the wait for the answer to a renewal: a third of what is left of the lifetime. */
export const RENEWAL_MIN_TIMEOUT_MS = 1_000;
export const RENEWAL_MAX_TIMEOUT_MS = 10_000;
/** After an outage, the renewals that became due meanwhile are spread over this time, or less if little is left. */
export const RENEWAL_SPREAD_MS = 30_000;
/** A peel that has nothing due looks at the time again: the clock may have been set, or the host have slept. */
export const RENEWAL_MAX_WAIT_MS = 60_000;
/** The longest pause between two renewals. */
export const RENEWAL_MAX_PAUSE_MS = 60_000;
/** Before a credential that could not be written is written again; twice as long each time. */
export const CREDENTIAL_FIRST_WRITE_RETRY_MS = 250;
/** The longest of these. */
export const CREDENTIAL_MAX_WRITE_RETRY_MS = 30_000;
/** A host that joins waits so long to be accepted, where the options do not say. */
export const JOIN_TIMEOUT_MS = 10 * 60_000;
/** For the answer to a request to join. */
export const JOIN_ANSWER_TIMEOUT_MS = 10_000;
/** Before a host asks again whether it is accepted; half as long again each time. */
export const JOIN_FIRST_RETRY_MS = 500;
/** The longest of these. */
export const JOIN_MAX_RETRY_MS = 5_000;

// --- zester/testing ---

/** Between two looks at what gives no event, at first. */
export const TEST_POLL_MS = 25;
/** The longest time between two of them: a long wait looks less often. */
export const TEST_MAX_POLL_MS = 250;
/** How long a test waits for what it expects, by default. */
export const TEST_WAIT_TIMEOUT_MS = 15_000;
/** Until the servers of a cluster see each other and have a JetStream leader. */
export const TEST_CLUSTER_TIMEOUT_MS = 30_000;
/** Before a server that stays outside JetStream's meta group is restarted. */
export const TEST_JETSTREAM_PATIENCE_MS = 10_000;
/** The lifetime of the own credentials of a fleet in a box: it may move its clock by years, which its servers do not follow. */
export const TEST_CREDENTIALS_LIFETIME_SECONDS = 100 * 365 * 86_400;
/** Before a connection of a test reconnects: a test has many outages. */
export const TEST_RECONNECT_MS = 100;
