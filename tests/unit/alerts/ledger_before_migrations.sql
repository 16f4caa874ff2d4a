-- The ledger as it was before migrations, with one open alert that nobody was told of.
CREATE TABLE evaluations (
    release_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    as_of DATETIME NOT NULL,
    from_day DATE,
    to_day DATE,
    days INTEGER NOT NULL,
    rules INTEGER NOT NULL,
    judged BIGINT NOT NULL,
    opened INTEGER NOT NULL,
    resolved INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    unjudged BIGINT NOT NULL,
    attribute_missing BIGINT NOT NULL,
    notes JSON NOT NULL,
    recorded_at DATETIME NOT NULL,
    PRIMARY KEY (release_id),
    UNIQUE (sequence)
);

CREATE TABLE rule_activations (
    rule TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    activated_on DATE NOT NULL,
    release_id TEXT NOT NULL,
    PRIMARY KEY (rule)
);

CREATE TABLE rule_states (
    rule TEXT NOT NULL,
    account_id TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    phase TEXT NOT NULL,
    held_days INTEGER NOT NULL,
    held_since DATE,
    last_triggered_on DATE,
    suppressed_by TEXT,
    PRIMARY KEY (rule, account_id, dimensions),
    CONSTRAINT phase_is_known CHECK (phase in ('quiet', 'open', 'muted'))
);

CREATE TABLE alerts (
    alert_id TEXT NOT NULL,
    rule TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    family TEXT NOT NULL,
    severity TEXT NOT NULL,
    account_id TEXT NOT NULL,
    account_name TEXT,
    dimensions TEXT NOT NULL,
    status TEXT NOT NULL,
    sentence TEXT NOT NULL,
    metric TEXT NOT NULL,
    held_since DATE,
    opened_on DATE NOT NULL,
    opened_at DATETIME NOT NULL,
    value DOUBLE,
    threshold DOUBLE NOT NULL,
    last_value DOUBLE,
    last_judged_on DATE NOT NULL,
    resolved_on DATE,
    resolved_how TEXT,
    resolved_at DATETIME,
    release_id TEXT NOT NULL,
    PRIMARY KEY (alert_id),
    CONSTRAINT status_is_known CHECK (status in ('open', 'acknowledged', 'snoozed', 'resolved'))
);

CREATE TABLE suppressions (
    rule TEXT NOT NULL,
    account_id TEXT NOT NULL,
    dimensions TEXT NOT NULL,
    on_day DATE NOT NULL,
    cause TEXT NOT NULL,
    reason TEXT NOT NULL,
    value DOUBLE,
    release_id TEXT NOT NULL,
    PRIMARY KEY (rule, account_id, dimensions, on_day)
);

CREATE TABLE actions (
    action_key TEXT NOT NULL,
    alert_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    number BIGINT NOT NULL,
    route TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    payload JSON NOT NULL,
    release_id TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    next_attempt_at DATETIME,
    recorded_at DATETIME NOT NULL,
    sent_at DATETIME,
    PRIMARY KEY (action_key),
    CONSTRAINT state_is_known CHECK (state in ('pending', 'sent', 'dead')),
    UNIQUE (number)
);

CREATE TABLE alert_events (
    alert_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    on_day DATE NOT NULL,
    transition TEXT NOT NULL,
    from_status TEXT,
    to_status TEXT NOT NULL,
    value DOUBLE,
    release_id TEXT,
    detail JSON NOT NULL,
    recorded_at DATETIME NOT NULL,
    PRIMARY KEY (alert_id, ordinal),
    FOREIGN KEY(alert_id) REFERENCES alerts (alert_id)
);

CREATE UNIQUE INDEX alerts_open_once ON alerts (rule, account_id, dimensions) WHERE status != 'resolved';

CREATE INDEX actions_by_state ON actions (state, number);

insert into evaluations values ('r0001', 1, '2025-03-02 00:00:00.000000', '2025-03-01', '2025-03-01', 1, 1, 1, 1, 0, 0, 0, 0, '[]', '2025-03-02 05:00:00.000000');
insert into rule_activations values ('health_fell_below_40', 'v', '2025-03-01', 'r0001');
insert into rule_states values ('health_fell_below_40', 'a', '{}', 'open', 1, '2025-03-01', '2025-03-01', null);
insert into alerts values ('35e3b9af7f87f6d14d858916a1ccdc52', 'health_fell_below_40', 'v', 'health_fell_below_40', 'warning', 'a', 'Account a', '{}', 'open', 'It fell.', 'health_score', '2025-03-01', '2025-03-01', '2025-03-02 00:00:00.000000', 39.0, 40.0, 39.0, '2025-03-01', null, null, null, 'r0001');
insert into alert_events values ('35e3b9af7f87f6d14d858916a1ccdc52', 1, '2025-03-01', 'opened', null, 'open', 39.0, 'r0001', '{"cause": "crossed", "reason": "it fell"}', '2025-03-02 05:00:00.000000');
insert into actions values ('key', '35e3b9af7f87f6d14d858916a1ccdc52', 1, 1, '*/1', 'file', 'alerts.jsonl', '{"idempotency_key": "key"}', 'r0001', 'pending', 0, null, null, '2025-03-02 05:00:00.000000', null);
